"""The command ``fsbridge``, also ``python -m fsbridge``: says what is missing when its extra isn't installed."""

import sys

from .extras import missing


def main() -> None:
    """Run the command line; see `fsbridge.cli`."""
    try:
        from .cli import commands

        commands(prog_name="fsbridge")
    except ModuleNotFoundError as error:
        module = str(error.name).partition(".")[0]
        if module not in ("click", "rich"):
            raise
        sys.exit(missing(module, "cli"))


if __name__ == "__main__":
    main()
