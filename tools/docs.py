"""What the documentation site takes from the code and from files beside docs/: a hook of MkDocs (mkdocs.yml)."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
INCLUDED = re.compile(r"^<!-- include: (\S+)(?: (#.*))? -->$", re.MULTILINE)
COMMANDS = re.compile(r"^<!-- help: (.*) -->$", re.MULTILINE)
AWAY = re.compile(r"\]\((?!https?:|#)((?:\.\./)+)([^)]+)\)")
REPOSITORY = {"README.md": "index.md", "CONTRIBUTING.md": "architecture.md", "CHANGELOG.md": "changelog.md"}


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Puts in what a page names: ``<!-- include: FILE [# Heading] -->`` or ``<!-- help: COMMAND -->``."""
    markdown = INCLUDED.sub(lambda found: _included(found[1], found[2]), markdown)
    markdown = COMMANDS.sub(lambda found: _help(found[1]), markdown)
    depth = page.file.src_uri.count("/")
    return AWAY.sub(lambda found: _link(found[0], found[1], found[2], depth), markdown)


def on_page_content(html: str, **_: Any) -> str:
    """The corner of a table is no heading."""
    return re.sub(r"<th([^>]*)></th>", r"<td\1></td>", html)


def on_post_build(config: Any) -> None:
    """Without an address of its own the site can have no page for what isn't there."""
    (Path(config["site_dir"]) / "404.html").unlink(missing_ok=True)


def section(text: str, heading: str) -> str:
    """What a Markdown text has under a heading such as ``## Glossary``, without the heading itself."""
    level = heading.split()[0]
    found = re.search(rf"^{re.escape(heading)}\n(.*?)(?=^#{{1,{len(level)}}} |\Z)", text, re.MULTILINE | re.DOTALL)
    if not found:
        raise ValueError(f"no heading {heading!r}")
    return found[1].strip()


def _included(path: str, heading: str | None) -> str:
    text = (ROOT / path).read_text(encoding="utf-8").replace("](docs/", "](")
    return section(text, heading) if heading else text


def _help(command: str) -> str:
    """What a command of ours says about itself."""
    environment = {**os.environ, "COLUMNS": "100", "NO_COLOR": "1"}
    run = [sys.executable, "-m", *command.split(), "--help"]
    done = subprocess.run(run, capture_output=True, text=True, cwd=ROOT, env=environment, check=True)
    return f"```text\n{done.stdout.strip()}\n```"


def _link(link: str, up: str, path: str, depth: int) -> str:
    """A link out of docs/: to the page that has the same, else the path as text, for the site has no repository."""
    if up.count("../") <= depth:
        return link
    name, _, anchor = path.partition("#")
    if name in REPOSITORY:
        return f"]({'../' * depth}{REPOSITORY[name]}{'#' + anchor if anchor else ''})"
    raise ValueError(f"a link to {path}, which the site doesn't have")
