"""The npm package: a release's files, and its tag as a module for bundlers (``web/npm``)."""

import json
import re
import shutil
import subprocess
from pathlib import Path

from fsbridge.build import release, web_sources
from fsbridge.version import VERSION

from . import npm

ROOT = Path(__file__).parent.parent
NAME = "fullstory-bridge"

_NOT_FOR_NPM = ("*.br", "*.gz", "nginx.conf", "Caddyfile", "INSTALL.md")
"""What of a release stays out: hosts of npm's packages compress by themselves."""

_SPARED = "/* webpackIgnore: true */ /* turbopackIgnore: true */ /* @vite-ignore */"
"""Tells bundlers that an address is known only in the page."""


def pack(built: Path, out: Path) -> Path:
    """Make the tarball of a release of MicroPython in the folder ``out``: the same bytes of the same release."""
    folder = out / "package"
    write(built, folder)
    command = [str(npm.find_npm()), "pack", str(folder.resolve()), "--ignore-scripts", "--json"]
    done = subprocess.run(command, cwd=out, capture_output=True, text=True)
    shutil.rmtree(folder)
    if done.returncode:
        raise SystemExit(f"npm pack failed: {done.stderr}")
    (tarball,) = out.glob("*.tgz")
    return tarball


def write(built: Path, out: Path) -> None:
    """Write the package of a release into the folder ``out``, which isn't there yet."""
    shutil.copytree(web_sources() / "npm", out)
    shutil.copytree(built, out / "files", ignore=shutil.ignore_patterns(*_NOT_FOR_NPM))
    (out / "files.js").write_text(_files(out, release.folders(built)["fsbridge"]), encoding="utf-8")
    tag = (built / "fsbridge-consent.js").read_text(encoding="utf-8")
    (out / "tag.js").write_text(_function(tag), encoding="utf-8")
    (out / "package.json").write_text(json.dumps(_description(), indent=2) + "\n", encoding="utf-8")
    (out / "README.md").write_text(_readme(out), encoding="utf-8")
    shutil.copyfile(ROOT / "LICENSE", out / "LICENSE")


def _files(out: Path, folder: str) -> str:
    """A module that bundlers read: the address of each file. They see only what is spelt out."""
    names = sorted(path.name for path in (out / "files" / folder).iterdir())
    lines = [f'  "{name}": () => new URL("./files/{folder}/{name}", import.meta.url),\n' for name in names]
    return f"/* Where the files are that the tag loads. */\n\nexport const files = {{\n{''.join(lines)}}};\n"


def _function(tag: str) -> str:
    """The tag's script as a function, with its imports left to the page."""
    spared = re.sub(r"\bimport\(", f"import({_SPARED} ", tag)
    return f"/* The tag, with the consent platforms. */\n\nexport function run() {{\n{spared}\n}}\n"


def _description() -> dict[str, object]:
    """package.json. Nobody publishes it by mistake: it is private."""
    return {
        "name": NAME,
        "version": VERSION,
        "private": True,
        "description": "Segment and RudderStack analytics calls to FullStory, with Python in the browser",
        "license": "MIT",
        "type": "module",
        "main": "./index.js",
        "types": "./index.d.ts",
        "exports": {
            ".": {"types": "./index.d.ts", "default": "./index.js"},
            "./files/*": "./files/*",
            "./package.json": "./package.json",
        },
        "sideEffects": False,
    }


def _readme(out: Path) -> str:
    """web/npm/README.md with this release's names and hashes in it."""
    (tag,) = (out / "files").glob("fsbridge-????????.js")
    text = (out / "README.md").read_text(encoding="utf-8")
    base = f"https://cdn.example/{NAME}@{VERSION}/files/"
    preloads = "\n".join(release.preloads(out / "files", "segment-classic", base))
    values = {
        "VERSION": VERSION,
        "PRELOADS": preloads,
        "TAG": f"{base}{tag.name}",
        "INTEGRITY": release.integrity(tag.read_bytes()),
    }
    return re.sub(r"\{([A-Z]+)\}", lambda found: values[found[1]], text)
