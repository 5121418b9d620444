"""The command ``fsbridge``, also ``python -m fsbridge``: says what is missing when its extra isn't installed."""

import sys

from .extras import missing


def main() -> None:
    """Run the command line; see `fsbridge.cli`."""
    try:
        from .cli import commands
    except ModuleNotFoundError as error:
        if error.name not in ("click", "rich"):
            raise
        sys.exit(missing(error.name, "cli"))
    commands(prog_name="fsbridge")


if __name__ == "__main__":
    main()
