"""What can go wrong with a message: refused for good, or not delivered yet. No text here ever holds a key."""

from __future__ import annotations


class CloudError(Exception):
    """A message, or an operation, that did not get through.

    ``request`` names it, such as "POST /v2/events", ``status`` is FullStory's HTTP status (None: there was no answer,
    or no request at all), ``text`` says what is wrong in FullStory's own words where it had some.
    """

    def __init__(self, text: str, *, request: str = "", status: int | None = None) -> None:
        super().__init__(text)
        self.text = text
        self.request = request
        self.status = status

    def __str__(self) -> str:
        return ": ".join(filter(None, [self.request, f"HTTP {self.status}" if self.status else "", self.text]))


class Rejected(CloudError):
    """It will never get through: the message or the key is wrong. Sending it again as it is makes no sense.

    Without a ``status`` the message itself can't be made a request of: ``text`` is then Segment's error. ``code`` is
    FullStory's, such as "unauthorized"; ``hint`` says what to do; both may be empty. Where one message makes several
    requests all of them were made, and further ones that failed are in ``others``;
    ``taken`` says how many FullStory took.
    """

    def __init__(
        self, text: str, *, request: str = "", status: int | None = None, code: str = "", hint: str = ""
    ) -> None:
        super().__init__(text, request=request, status=status)
        self.code = code
        self.hint = hint
        self.others: list[Rejected] = []
        self.taken = 0

    def __str__(self) -> str:
        shown = super().__str__() + (f" ({self.hint})" if self.hint else "")
        return "; ".join([shown, *map(str, self.others)])


class Unavailable(CloudError):
    """It did not get through yet: no answer, a rate limit, or trouble at FullStory, for as long as we tried.

    Worth another attempt with the same idempotency key, after ``retry_after`` seconds where FullStory asked for that.
    """

    def __init__(
        self, text: str, *, request: str = "", status: int | None = None, retry_after: float | None = None
    ) -> None:
        super().__init__(text, request=request, status=status)
        self.retry_after = retry_after
