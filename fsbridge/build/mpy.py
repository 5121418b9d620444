"""What is where in a compiled module (``.mpy``, version 6): its texts, and the bytecode of its functions."""

_TEXTS = (5, 6)  # kinds of constants: text and bytes, which end with a zero
_TUPLE = 10
_PLAIN = 4  # the last of those that are their kind and nothing else

Span = tuple[int, int]
"""Start and size."""


class Compiled:
    """A module's ``code`` that lies at ``start``, taken apart.

    ``span`` is where it is, ``texts`` where its names and constants are, ``functions`` what leads to each, such as
    ``Page.title``, and where its bytecode is: the first is the module's own code, which an import runs.
    """

    def __init__(self, code: bytes, start: int = 0) -> None:
        self._code = code
        self._start = start
        self._at = 4  # behind the header
        self.span = start, len(code)
        self.texts: list[Span] = []
        self.functions: list[tuple[str, int, int]] = []
        names, constants = self._number(), self._number()
        self._names = [self._name() for _ in range(names)]
        for _ in range(constants):
            self._constant()
        self._function(None)

    def places(self) -> dict[str, object]:
        """All of it as JSON has it."""
        return {"span": self.span, "texts": self.texts, "functions": self.functions}

    def _number(self) -> int:
        value = 0
        while True:
            byte = self._code[self._at]
            self._at += 1
            value = value << 7 | byte & 127
            if byte < 128:
                return value

    def _text(self, size: int) -> str:
        start = self._at
        self.texts.append((self._start + start, size + 1))
        self._at += size + 1
        return self._code[start : start + size].decode(errors="replace")

    def _name(self) -> str:
        size = self._number()
        return f"#{size >> 1}" if size & 1 else self._text(size >> 1)  # those that the interpreter has numbers for

    def _constant(self) -> None:
        kind = self._code[self._at]
        self._at += 1
        if kind <= _PLAIN:
            return
        size = self._number()
        if kind == _TUPLE:
            for _ in range(size):
                self._constant()
        elif kind in _TEXTS:
            self._text(size)
        else:
            self._at += size

    def _function(self, outer: str | None) -> None:
        described = self._number()
        start, size = self._at, described >> 3
        self._number()  # what it needs,
        self._number()  # how long its description is,
        name = self._names[self._number()]
        path = "" if outer is None else f"{outer}.{name}".lstrip(".")
        self.functions.append((path, self._start + start, size))
        self._at = start + size
        if described & 4:
            for _ in range(self._number()):
                self._function(path)
