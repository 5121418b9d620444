"""@liquid on CPython: lets `fsbridge.mapping.liquid` render templates where Python's liquid library is installed."""

from importlib.util import find_spec

from ..mapping import liquid


def install() -> None:
    """Render templates from now on, if the library is there; it is imported with the first template."""
    if find_spec("liquid") is not None:
        liquid.install(_render)


def _render(template: str, message: object) -> str:
    from .liquid_engine import render

    return render(template, message)
