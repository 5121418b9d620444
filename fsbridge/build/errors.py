"""What stops a build."""


class BuildError(Exception):
    """Something the build needs is missing or does not fit; the text says what to do."""
