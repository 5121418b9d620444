"""The demo shop: built into dist/site, which any static host can serve, and served here.

python -m tools.demo            builds, serves, opens a browser where there is one
python -m tools.demo --build    builds only
python -m tools.demo --check    builds, serves, fetches the start page once and stops
"""

import argparse
import json
import os
import shutil
import sys
import threading
import urllib.request
import webbrowser
from pathlib import Path

from fsbridge import destinations
from fsbridge.build import build_web, web_sources

from . import npm, playground
from .serve import Site, address, server

ROOT = Path(__file__).parent.parent
PORT = 8000
STAND_IN = ROOT / "fsbridge" / "testing" / "fs.js"


POLICY = """\
default-src 'self'; script-src 'self' 'wasm-unsafe-eval' https://*.fullstory.com; \
connect-src 'self' https://*.fullstory.com; img-src 'self' https://*.fullstory.com"""
"""The Content Security Policy that the shop is served with: its own files, and FullStory's for who gives an org."""


def build(out: Path) -> None:
    """The shop of site/: fsbridge under ``fsbridge/``, a table of settings, a FullStory of its own, the playground."""
    modules = npm.provision()
    shutil.rmtree(out, ignore_errors=True)
    shutil.copytree(ROOT / "site", out, ignore=shutil.ignore_patterns("playground"))
    playground.build(out / "playground")
    shutil.copy(web_sources() / "inspector/notation.js", out / "js")
    build_web(out / "fsbridge", modules, for_release=False)
    table = [described(name) for name in destinations.NAMES]
    # A default can be "undefined", which JSON has no word for.
    (out / "settings.json").write_text(json.dumps(table, default=lambda value: None), encoding="utf-8")
    (out / "stand-in").mkdir()
    shutil.copyfile(STAND_IN, out / "stand-in" / "fs.js")


def described(name: str) -> dict[str, object]:
    """A destination with its settings, for the shop's panel."""
    kind = destinations.find(name)
    return {
        "name": kind.name,
        "org": kind.org,
        "source": kind.source,
        "settings": [vars(each) for each in kind.settings],
    }


def serve(out: Path) -> Site:
    """The built shop as a site, with the policy that one would serve it with."""
    site = Site({"Content-Security-Policy": POLICY})
    site.mount("/", out)
    return site


def has_screen() -> bool:
    """Whether a browser would have a window: without one, a text browser could take over the terminal."""
    return sys.platform in ("darwin", "win32") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def main() -> None:
    options = argparse.ArgumentParser(prog="nox -s demo --", description="Build the demo shop and serve it.")
    options.add_argument("--port", type=int, default=PORT, help="0 takes a free one (default: %(default)s)")
    options.add_argument("--build", action="store_true", help="only build dist/site")
    options.add_argument("--check", action="store_true", help="fetch the start page once and stop")
    options.add_argument("--no-browser", action="store_true", help="don't open a browser")
    chosen = options.parse_args()

    out = ROOT / "dist" / "site"
    build(out)
    print(f"Built {out.relative_to(ROOT)}/: any static host can serve it.", flush=True)
    if chosen.build:
        return

    site = serve(out)
    try:
        running = server(site, 0 if chosen.check else chosen.port)
    except OSError:  # somebody else has the port
        running = server(site)
    print(f"The demo shop: {address(running)}", flush=True)
    if chosen.check:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        with urllib.request.urlopen(address(running), timeout=10) as page:
            print(f"Answered {page.status}, {len(page.read())} bytes.")
        return
    if not chosen.no_browser and has_screen():
        threading.Timer(0.5, webbrowser.open, [address(running)]).start()
    print("Stop it with Ctrl-C.", flush=True)
    try:
        running.serve_forever()
    except KeyboardInterrupt:
        print()


if __name__ == "__main__":
    main()
