"""The tag as HTML, with ``integrity`` and preloads; and the policy that a page with it needs."""

from __future__ import annotations

import json
import re
from functools import cache
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from .. import destinations
from ..build import release as build
from ..settings import ATTRIBUTES, SettingsError
from . import release


class Html(str):
    """Text that is HTML already: Jinja's and Django's templates take it as it is."""

    __slots__ = ()

    def __html__(self) -> Html:
        """The same text, as templates ask for it."""
        return self


def tag(
    destination: str,
    *,
    base: str = release.BASE,
    folder: str | Path | None = None,
    preload: bool = True,
    nonce: str = "",
    **options: Any,
) -> Html:
    """The tag for a page's head: ``tag("segment-classic", org="o-1ABC-na1", trackNamedPages=True)``.

    ``options`` are the destination's settings in the vendor's names, and the tag's attributes in camel case
    (``queueCalls``); None leaves one out. ``base`` is the address of the files, which may be another host's, and
    ``folder`` the release that is there, by default the wheel's. ``preload`` lets browsers ask for all files at once,
    where nothing has to be waited for. ``nonce`` goes on each element. Raises SettingsError for a wrong or missing
    option, BuildError where there is no release.
    """
    options = {name: value for name, value in options.items() if _is_given(name, value)}
    _check(destination, options)
    found, base = release.find(folder), release.address(base)
    name = _file(found, "-consent" if _names_a_platform(options.get("consent", "")) else "")
    said = {"src": f"{base}{name}", "integrity": _integrity(found / name), "crossorigin": "anonymous"}
    attributes = {_attribute(each): _text(value) for each, value in {"destination": destination, **options}.items()}
    lines = build.preloads(found, _snapshot(destination, options), base) if preload and _may_ask(options) else []
    written = "".join(f' {each}="{escape(value)}"' for each, value in {**said, **attributes}.items())
    lines.append(f"<script{written}></script>")
    if nonce:
        lines = [re.sub(r"^<(\w+)", rf'<\1 nonce="{escape(nonce)}"', line) for line in lines]
    return Html("\n".join(lines))


def policy(org: str, base: str = release.BASE) -> str:
    """The Content Security Policy that a page with the tag needs at least, for FullStory's region of this org."""
    host = urlsplit(base)
    where = f"'self' {host.scheme}://{host.netloc}" if host.netloc else "'self'"
    return build.policy(org).replace("'self'", where)


def _is_given(name: str, value: Any) -> bool:
    """Whether an option counts; two attributes count for being there, whatever they say."""
    return value is not None and not (value is False and name in ("beside", "replace"))


def _check(destination: str, options: dict[str, Any]) -> None:
    """Raise SettingsError for what the tag would say on the console of every visitor."""
    kind = destinations.find(destination)
    given = {name: value for name, value in options.items() if name not in ATTRIBUTES}
    settings = options.get("settings", {})
    if not isinstance(settings, dict):
        raise SettingsError(f"settings is {settings!r}; accepted: a dict")
    destinations.configured(kind, {**settings, **given})


def _may_ask(options: dict[str, Any]) -> bool:
    """Whether the files may be asked for at once, and which those are is known."""
    return not {"consent", "gpc", "load"} & set(options) and options.get("runtime") != "pyodide"


def _snapshot(destination: str, options: dict[str, Any]) -> str:
    """The name of what MicroPython starts from (web/tag/interpreters.js)."""
    usual = destinations.find(destination).source
    if options.get("source", usual) != usual:
        return "all"
    return f"{destination}-beside" if options.get("beside") else destination


def _names_a_platform(consent: str) -> bool:
    return " " in consent and not consent.startswith("event ")


@cache
def _file(folder: Path, kind: str) -> str:
    """The name of the newest build's tag: the one that is the same as the tag without a hash."""
    content = (folder / f"fsbridge{kind}.js").read_bytes()
    named = folder.glob(f"fsbridge{kind}-????????.js")
    return next((path.name for path in named if path.read_bytes() == content), f"fsbridge{kind}.js")


@cache
def _integrity(file: Path) -> str:
    return build.integrity(file.read_bytes())


def _attribute(name: str) -> str:
    """An attribute's name as HTML has it: trackNamedPages → data-track-named-pages."""
    return "data-" + re.sub("[A-Z]", lambda found: f"-{found[0].lower()}", name)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
