"""The command ``build``: what a site serves."""

from __future__ import annotations

from pathlib import Path

import click

from ..build import KEEP, RUNTIMES, BuildError, build_web


@click.command("build", short_help="Write what a site serves: the tag, and what it loads.")
@click.argument("out_dir", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--node-modules",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Where `npm ci` put the interpreters; by default they are fetched, into a cache folder of yours.",
)
@click.option(
    "--keep",
    type=click.IntRange(0),
    default=KEEP,
    show_default=True,
    help="How many earlier builds in OUT_DIR keep their files with hashed names, which pages in caches ask for.",
)
@click.option(
    "--runtime",
    type=click.Choice([*RUNTIMES, "all"]),
    default="micropython",
    show_default=True,
    help="What the tag can start. With all, micropython is the default of data-runtime, and pages choose.",
)
def build(out_dir: Path, node_modules: Path | None, keep: int, runtime: str) -> None:
    """Write what a site has to serve into OUT_DIR: the tag, the interpreters and the browser's part of fsbridge.

    Names carry a hash of the content, so that browsers may keep the files for ever, and each file has a .br and a .gz
    copy. OUT_DIR/INSTALL.md, printed as well, has the tag to paste with its integrity value, the policy to allow and
    the headers. The same inputs give the same bytes.

    What an earlier build left in OUT_DIR is replaced, but for the files that --keep keeps; a folder with anything else
    in it is refused. An installed wheel carries the files for micropython: they are copied. Else, and for pyodide, the
    build needs Node.js 20 or later, for the interpreters come from npm, and fsbridge's extra "build"; what is missing
    is said, and how to get it. Compressing Pyodide takes most of a minute.

    \b
    Example:
      fsbridge build static/fsbridge
    """
    if out_dir.exists() and any(out_dir.iterdir()) and not (out_dir / "fsbridge.js").is_file():
        raise click.ClickException(f"{out_dir} holds other files than a build; give a new or an empty folder.")
    try:
        click.echo(build_web(out_dir, node_modules, RUNTIMES if runtime == "all" else [runtime], keep=keep))
    except BuildError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"Built {out_dir}")
