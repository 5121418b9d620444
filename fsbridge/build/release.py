"""What makes a build fit for long caching and fast delivery: hashed names, compressed copies, lines to paste."""

import base64
import gzip
import hashlib
import os
import re
import shutil
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ..version import VERSION
from . import servers
from .errors import BuildError
from .scripts import TAGS

KEEP = 2
"""How many earlier builds keep their files with hashed names, by default."""

_HASHED = re.compile(r"\b[a-z]+(?:-consent)?-[0-9a-f]{8}(?:\.js)?(?![\w.])")
_BUILDS = "## Builds in this folder"

_COMPRESSED = ("pyodide.snapshot", ".zip")
"""Endings of files that are compressed already."""

POLICY = (
    "script-src 'self' 'wasm-unsafe-eval' https://edge.fullstory.com https://rs.fullstory.com; "
    "connect-src 'self' https://edge.fullstory.com https://rs.fullstory.com; img-src 'self' https://rs.fullstory.com"
)
"""What a page's Content Security Policy has to allow: fsbridge from the page's own host, and FullStory."""


def policy(org: str) -> str:
    """`POLICY` for the region of this org."""
    region = re.fullmatch(r"o-[^-]+-(\w+)", org)
    where = f"{region[1]}." if region and region[1] != "na1" else ""
    return re.sub(r"\b(edge|rs)\.fullstory", rf"\1.{where}fullstory", POLICY)


def hashed(folder: Path) -> str:
    """Append a hash of the folder's content to its name, and return the new name."""
    digest = hashlib.sha256()
    for file in sorted(folder.iterdir()):
        digest.update(file.name.encode() + b"\0" + hashlib.sha256(file.read_bytes()).digest())
    return folder.rename(folder.with_name(f"{folder.name}-{digest.hexdigest()[:8]}")).name


def preloads(release: Path, destination: str, base: str = "/fsbridge/") -> list[str]:
    """Lines that ask for all of MicroPython before the tag is there to do it.

    ``base`` is the address of the folder ``release``. The module's ``integrity`` holds for the tag's import of it, too.
    """
    folder = folders(release)["fsbridge"]
    module = integrity((release / folder / "micropython.js").read_bytes())
    return [
        f'<link rel="modulepreload" href="{base}{folder}/micropython.js" integrity="{module}">',
        *(
            f'<link rel="preload" href="{base}{folder}/{file}" as="fetch" crossorigin>'
            for file in ("first.wasm", f"{destination}.snapshot")
        ),
    ]


def folders(release: Path) -> dict[str, str]:
    """The names of a release's folders by what they hold: "micropython" → "micropython-1a2b3c4d"."""
    return {path.name.rpartition("-")[0]: path.name for path in sorted(release.iterdir()) if path.is_dir()}


def finish(out: Path, names: Mapping[str, str], earlier: Path, keep: int) -> str:
    """Write hashed copies of the tags and the compressed copies, and what `describe` does."""
    for name in TAGS:
        content = (out / name).read_bytes()
        (out / name.replace(".js", f"-{hashlib.sha256(content).hexdigest()[:8]}.js")).write_bytes(content)
    write_compressed(
        [file for file in sorted(out.rglob("*")) if file.is_file() and not file.name.endswith(_COMPRESSED)]
    )
    return describe(out, names, earlier, keep)


def describe(out: Path, names: Mapping[str, str], earlier: Path, keep: int) -> str:
    """Take over the files of earlier builds, write the servers' configurations and ``INSTALL.md``; the text of that.

    ``names`` are the folders' names by what they hold. Of the builds in the folder ``earlier``, if there is one, the
    last ``keep`` stay: their files with hashed names.
    """
    copies = [next(out.glob(name.replace(".js", "-????????.js"))) for name in TAGS]
    first = preloads(out, "segment-classic") if "micropython" in names else []
    builds = _builds(out, earlier, keep)
    for name in {name for build in builds[1:] for name in build} - set(builds[0]):
        _take_over(earlier, name, out)
    listed = "".join(f"- {', '.join(f'`{name}`' for name in build)}\n" for build in builds)
    lines = "".join(f"    {line}\n" for line in first)
    text = _instructions([(tag.name, integrity(tag.read_bytes())) for tag in copies], lines, listed)
    for name, server in (("nginx.conf", servers.nginx), ("Caddyfile", servers.caddy)):
        (out / name).write_text(server("/fsbridge/", "/srv/site/fsbridge/"), encoding="utf-8")
    (out / "INSTALL.md").write_text(text, encoding="utf-8")
    return text


def integrity(content: bytes) -> str:
    """The value of a script's ``integrity`` attribute."""
    return "sha384-" + base64.b64encode(hashlib.sha384(content).digest()).decode()


def _builds(out: Path, earlier: Path, keep: int) -> list[list[str]]:
    """The hashed names of this build and of at most ``keep`` earlier ones, the newest first."""
    builds = [_hashed_names(out)]
    install = earlier / "INSTALL.md"
    text = install.read_text(encoding="utf-8") if install.is_file() else ""
    noted = [_HASHED.findall(line) for line in text.partition(_BUILDS)[2].splitlines()]
    for build in [*filter(None, noted)] or ([_hashed_names(earlier)] if earlier.is_dir() else []):
        if build and build not in builds:
            builds.append(build)
    return builds[: keep + 1]


def _hashed_names(folder: Path) -> list[str]:
    """The names in a build that have a hash, without those of compressed copies."""
    return sorted(path.name for path in folder.iterdir() if _HASHED.fullmatch(path.name))


def _take_over(earlier: Path, name: str, out: Path) -> None:
    """Copy a folder, or a file with its compressed copies, as far as it is there."""
    if (earlier / name).is_dir():
        shutil.copytree(earlier / name, out / name)
    for file in (name, f"{name}.br", f"{name}.gz"):
        if (earlier / file).is_file():
            shutil.copyfile(earlier / file, out / file)


def write_compressed(files: list[Path]) -> None:
    """Write ``<file>.br`` and ``<file>.gz`` beside each file, as small as they get."""
    try:
        import brotli
    except ImportError as error:
        raise BuildError("brotli is needed to compress a release: python -m pip install brotli") from error

    def compress(file: Path) -> None:
        content = file.read_bytes()
        file.with_name(file.name + ".br").write_bytes(brotli.compress(content, quality=11, lgwin=24))
        file.with_name(file.name + ".gz").write_bytes(gzip.compress(content, 9, mtime=0))

    # Both let other threads run. The largest first: it decides when all is done.
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(compress, sorted(files, key=lambda file: file.stat().st_size, reverse=True)))


def _instructions(tags: list[tuple[str, str]], preloads: str, builds: str) -> str:
    (tag, integrity), (consent, consent_integrity) = tags
    return f"""\
# Serving fsbridge {VERSION}

Copy this folder to your site, for instance as `/fsbridge/`. Files find each other, so any path will do.

## The tag

In the head of each page, above the code that calls `analytics` or `rudderanalytics`, with your destination and org id.
Either the one that follows each build you deploy:

    <script src="/fsbridge/fsbridge.js" data-destination="segment-classic" data-org="o-1ABC-na1"></script>

or this very build, which the browser checks and, since it knows all names, asks for at once (name your destination in
the `.snapshot` line, too, with `-beside` behind it where the vendor's own SDK is on the page):

{preloads}    <script src="/fsbridge/{tag}"
            integrity="{integrity}" crossorigin="anonymous"
            data-destination="segment-classic" data-org="o-1ABC-na1"></script>

Pages that name a consent platform in `data-consent` take `fsbridge-consent.js` instead:

    <script src="/fsbridge/{consent}"
            integrity="{consent_integrity}" crossorigin="anonymous"
            data-destination="segment-classic" data-org="o-1ABC-na1" data-consent="onetrust C0002"></script>

## Content-Security-Policy

A page with a policy has to allow this (of a European org `https://edge.eu1.fullstory.com` and
`https://rs.eu1.fullstory.com`):

    Content-Security-Policy: {POLICY}

## Headers

- Names with a hash (`…-1a2b3c4d…`, and all files in such folders) never change their content:
  `Cache-Control: public, max-age=31536000, immutable`. Those of earlier builds are kept, too: see below.
- `fsbridge.js`, `fsbridge-consent.js` and `fsbridge.zip` change with each build: `Cache-Control: public, max-age=300`.
- `Content-Type`: `text/javascript` for `.js`, `application/wasm` for `.wasm` (or it isn't compiled while it
  arrives), `application/octet-stream` for `.snapshot`.
- Beside each file there is a compressed copy, `.br` (`Content-Encoding: br`) and `.gz` (`gzip`), to serve to browsers
  that accept it, with `Vary: Accept-Encoding`.
- From another host than the page's: `Access-Control-Allow-Origin: *`, and that host in place of `'self'` above.

`nginx.conf` and `Caddyfile` in this folder say all of that to these servers.

{_BUILDS}

Pages in caches ask for the files of the build that they were made with. This folder has those of this build, and of the
ones before it that are named here (`fsbridge build --keep`):

{builds}"""
