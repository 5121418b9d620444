"""The code examples of the README and of docs/, each with its place, language and what it is an example of."""

import re
import textwrap
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
FENCE = re.compile(
    r"^(?: *<!-- example: (?P<kind>[\w-]+) -->\n+)?(?P<indent> *)```(?P<language>\w+)\n(?P<code>.*?)^(?P=indent)```$",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Example:
    """A fenced block. ``kind`` says how it is run: what the comment before it says, else what can be told from it."""

    place: str
    language: str
    kind: str
    code: str


def examples() -> list[Example]:
    """All of them, in the order of files and lines."""
    files = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    return [example for file in files for example in in_file(file)]


def in_file(file: Path) -> list[Example]:
    text = file.read_text(encoding="utf-8")
    found = []
    for fence in FENCE.finditer(text):
        line = text.count("\n", 0, fence.start("language")) + 1
        code = textwrap.dedent(fence["code"])
        kind = fence["kind"] or told(fence["language"], code)
        found.append(Example(f"{file.relative_to(ROOT)}:{line}", fence["language"], kind, code))
    return found


def told(language: str, code: str) -> str:
    """The kind of an example that doesn't say it."""
    if language == "html":
        return "python-page" if 'type="mpy"' in code or 'type="py"' in code else "page"
    if language == "python":
        if re.search(r"^(async )?def \w+\(", code, re.MULTILINE):
            return "test"
        return "server" if "cloud" in code else "python"
    return {"sh": "shell", "js": "pyodide", "text": "text"}.get(language, language)
