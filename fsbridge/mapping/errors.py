"""What is wrong with a mapping, in the words of Segment's own mapping kit."""


class MappingError(ValueError):
    """A mapping that can't be applied to a message. ``errors`` lists what is wrong, a text each."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.errors = [message]


class ValidationError(MappingError):
    """One mistake in a mapping; the text starts with its place, such as ``/properties/name``."""


class AggregateError(MappingError):
    """All mistakes in the fields of a mapping."""

    def __init__(self, errors: "list[str]") -> None:
        super().__init__("\n".join(errors))
        self.errors = errors
