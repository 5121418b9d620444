"""The command line: dry runs, the build of what a site serves, and FullStory's HTTP API from a server."""

from __future__ import annotations

import click

from ..version import VERSION
from .account import check, delete_user
from .backfill import backfill
from .dry_run import map_
from .init import init
from .relay import relay
from .send import send
from .site import build


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(VERSION)
def commands() -> None:
    """Segment and RudderStack analytics calls to FullStory.

    \b
    Example:
      fsbridge map --destination segment-classic --settings '{"org": "o-1ABC-na1"}' < messages.jsonl
    """


for command in (map_, init, build, send, backfill, delete_user, check, relay):
    commands.add_command(command)
