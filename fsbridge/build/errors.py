"""What stops a build."""

import re


class BuildError(Exception):
    """Something the build needs is missing or does not fit; the text says what to do."""


_NOISE = re.compile(r"\s*$|\s*at |Node\.js v|\s*\^+\s*$|\s*[{}]")
_SAID = re.compile(r"[\w.]*(Error|Exception)\b.*: ")


def reason(told: str) -> str:
    """The line in a failed tool's complaint that says what is wrong, at most 300 characters of it."""
    lines = [line.strip() for line in told.splitlines() if not _NOISE.match(line)]
    said = [line for line in lines if _SAID.match(line)]
    return (said or lines or ["no reason given"])[-1][:300]
