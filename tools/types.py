"""`python -m tools.types` writes web/npm/options.d.ts, the options of `load`, from what Python knows of them."""

from __future__ import annotations

from collections.abc import Iterable

from fsbridge import destinations
from fsbridge.browser import sources
from fsbridge.build import web_sources
from fsbridge.contracts import Destination
from fsbridge.fullstory_options import OPTIONS as FULLSTORYS
from fsbridge.settings import ORG, Setting

OPTIONS = web_sources() / "npm/options.d.ts"

OF_DESTINATION = ("destination", "settings")
"""Attributes whose type is each destination's own."""

OWN = {
    "source": (
        " | ".join(f'"{name}"' for name in sources.NAMES),
        "which API the page calls; by default the vendor's own",
    ),
    "runtime": ('"micropython" | "pyodide"', "the interpreter, of those that were built"),
    "base": ("string", "the address of the folder with the files; by default this package's"),
    "queueCalls": ("number", "how many calls may wait: 1000"),
    "queueBytes": ("number", "how many bytes may wait for the next page: 524288"),
    "queueMinutes": ("number", "for how long: 30"),
    "beside": ("boolean", "there is a vendor's SDK, or will be"),
    "replace": ("boolean", "take the place of a vendor's SDK"),
    "global": ("string", "the global that the vendor's SDK is at"),
    "destinationId": ("string", "RudderStack's id of the custom destination"),
    "whenDoubled": ('"send"', "send although the vendor's own FullStory destination is active"),
    "sessionUrl": ("boolean", "put FullStory's session into the context of the SDK's messages"),
    "consent": ("string", 'who says whether the visitor consents: "wait", "event NAME", "onetrust C0002"'),
    "consentEvent": ("string", "the name of Usercentrics' event"),
    "gpc": ("boolean", "Global Privacy Control is a refusal"),
    "load": ('"page"', "nothing starts before the page calls `load` of the API"),
    "diagnostics": ("boolean", "say on the console what FullStory would reject"),
    "report": ("boolean", "write the report to the console a second after the start"),
}
"""The tag's own attributes: type, and meaning."""

TYPES = {"text": "string", "boolean": "boolean", "list": "readonly object[]", "object": "object"}

HEAD = """\
/** The options of `load`. Written by `python -m tools.types`: edit that, or the destinations' settings. */

"""


def options() -> str:
    """The whole of options.d.ts."""
    kinds = [destinations.find(name) for name in destinations.NAMES]
    own = "".join(_member(name, *told) for name, told in OWN.items())
    parts = [f"/** What the tag itself takes. */\nexport interface TagOptions {{\n{own}}}\n"]
    parts.append(_interface("FullStory's own options, which every destination takes.", "FullStoryOptions", FULLSTORYS))
    parts += [_settings(kind) for kind in kinds]
    parts.append(f"/** FullStory's org id, by any vendor's name for it. */\ntype Org =\n{_org()};\n")
    each = "\n".join(f"    | ({{ {_chosen(kind)} }} & {_named(kind)})" for kind in kinds)
    parts.append(f"/** What `load` takes. */\nexport type Options = TagOptions &\n  Org &\n  (\n{each}\n  );\n")
    return HEAD + "\n".join(parts)


def of_destination(kind: type[Destination]) -> list[Setting]:
    """A destination's settings but for its org id."""
    return [setting for setting in kind.settings if setting.name not in ORG]


def _settings(kind: type[Destination]) -> str:
    own = [each for each in of_destination(kind) if each not in FULLSTORYS]
    return _interface(
        f"The settings of {kind.name}, without its org id.", f"{_named(kind)} extends FullStoryOptions", own
    )


def _interface(meaning: str, head: str, settings: Iterable[Setting]) -> str:
    members = "".join(_member(each.name, TYPES[each.accepts], each.meaning) for each in settings)
    return f"/** {meaning} */\nexport interface {head} {{\n{members}}}\n"


def _named(kind: type[Destination]) -> str:
    return f"{kind.__name__}Settings"


def _chosen(kind: type[Destination]) -> str:
    return f'destination: "{kind.name}"; settings?: {_named(kind)}'


def _member(name: str, type_: str, meaning: str) -> str:
    return f"  /** {meaning[0].upper()}{meaning[1:]}. */\n  {name}?: {type_};\n"


def _org() -> str:
    return "\n".join(
        "  | { " + "; ".join(f"{name}: string" if name == given else f"{name}?: never" for name in ORG) + " }"
        for given in ORG
    )


if __name__ == "__main__":
    OPTIONS.write_text(options(), encoding="utf-8")
