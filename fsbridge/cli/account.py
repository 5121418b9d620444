"""The commands ``check`` and ``delete-user``: an API key tried out, a user deleted."""

from __future__ import annotations

import sys
from typing import Any

import click

from .connection import REJECTED, STOPPED, cloud, connected, fail


@click.command("check", short_help="Try the API key out.")
@connected
def check(**options: Any) -> None:
    """Try the API key out, and say whose it is and which data centre it belongs to.

    Exit status: 0, 1 when FullStory refuses the key, 2 when there is none, 3 when FullStory can't be had.

    \b
    Example:
      FULLSTORY_API_KEY=na1.… fsbridge check
    """
    with cloud(**options) as fullstory:
        about = _asked(fullstory.me)
        click.echo("The API key works.")
        centre = fullstory.data_centre or "the key doesn't tell; FullStory routes by it all the same"
        for name, value in (
            ("organisation", about.get("orgId")),
            ("user", about.get("email")),
            ("role", about.get("role")),
            ("data centre", centre),
        ):
            if value:
                click.echo(f"{name + ':':14}{value}")


@click.command("delete-user", short_help="Delete a user with all that was captured of them.")
@click.argument("user_id", metavar="ID")
@click.option("--yes", is_flag=True, help="Don't ask.")
@connected
def delete_user(user_id: str, yes: bool, **options: Any) -> None:
    """Delete the user with this ID, your own as in identify calls, and all that was captured of them.

    It can't be undone, so at a terminal you are asked first. Needs the API key of an Admin or Architect.

    Exit status: 0, 1 when FullStory refuses or doesn't know the user, 2 when there is no key, 3 when FullStory can't be
    had.

    \b
    Example:
      fsbridge delete-user user-1234
    """
    with cloud(**options) as fullstory:
        if not yes and sys.stdin.isatty():
            click.confirm(f"Delete {user_id} with all captured data for good?", abort=True, err=True)
        _asked(fullstory.delete_user, user_id)
        click.echo(f"Deleted {user_id}.")


def _asked(question: Any, *arguments: Any) -> Any:
    """FullStory's answer; exits where there is none."""
    from ..cloud import Rejected, Unavailable

    try:
        return question(*arguments)
    except Rejected as error:
        fail(str(error), REJECTED)
    except Unavailable as error:
        fail(str(error), STOPPED)
