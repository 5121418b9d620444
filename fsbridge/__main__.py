"""The command ``fsbridge``, also ``python -m fsbridge``: says what is missing when its extra isn't installed."""

import sys


def main() -> None:
    """Run the command line; see `fsbridge.cli`."""
    try:
        from .cli import commands
    except ModuleNotFoundError as error:
        if error.name not in ("click", "rich"):
            raise
        sys.exit("The fsbridge command needs its extra: python -m pip install 'fullstory-bridge[cli]'")
    commands(prog_name="fsbridge")


if __name__ == "__main__":
    main()
