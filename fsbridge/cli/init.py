"""The command ``init``: what to paste into a page and a server, after four questions."""

from __future__ import annotations

import re
from html import escape

import click

from .. import destinations
from ..build.release import policy
from ..build.servers import SERVERS
from ..settings import is_org


def _org(context: click.Context, parameter: click.Parameter, value: str) -> str:
    if not value or not is_org(value):
        raise click.BadParameter(f"{value!r} is no org id; accepted: letters, digits and hyphens, as in o-1ABC-na1.")
    return value


def _path(context: click.Context, parameter: click.Parameter, value: str) -> str:
    if not re.fullmatch(r"/([\w.~-]+/)*[\w.~-]*", value):
        raise click.BadParameter(f"{value!r} is no path; accepted: one of the site's own, such as /fsbridge/.")
    return value if value.endswith("/") else f"{value}/"


@click.command("init", short_help="Ask four questions; print the tag, the policy and the headers.")
@click.option(
    "--destination",
    type=click.Choice(destinations.NAMES),
    prompt="Which vendor integration does your site follow?",
    help="The vendor integration whose calls are made.",
)
@click.option("--org", callback=_org, prompt="FullStory's org id, such as o-1ABC-na1", help="FullStory's org id.")
@click.option(
    "--path",
    callback=_path,
    prompt="Under which path of your site will the files be?",
    default="/fsbridge/",
    show_default=True,
    help="Where on your site the files of `fsbridge build` are.",
)
@click.option(
    "--server",
    type=click.Choice(list(SERVERS)),
    prompt="Which server has your site?",
    help="What the headers are written for.",
)
def init(destination: str, org: str, path: str, server: str) -> None:
    """Print the tag to paste, the Content Security Policy to allow, and the headers for your server.

    Questions that an option answers aren't asked; nothing is written.

    \b
    Example:
      fsbridge init --destination segment-classic --org o-1ABC-na1 --path /fsbridge/ --server nginx
    """
    click.echo(f"""
# 1. The files: fsbridge build FOLDER

# 2. In the head of each page, above the code that calls {destinations.find(destination).source}

<script src="{escape(path)}fsbridge.js" data-destination="{destination}" data-org="{escape(org)}"></script>

# 3. Where your pages have a Content Security Policy, it has to allow

Content-Security-Policy: {policy(org)}

# 4. Your server
""")
    click.echo(SERVERS[server](path, f"/srv/site{path}"), nl=False)
