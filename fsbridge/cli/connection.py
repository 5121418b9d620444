"""What the commands that talk to FullStory have in common: options, and the client they make."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from ..extras import missing
from ..settings import SettingsError
from .inputs import WRONG_SETTINGS
from .settings import settings_from

if TYPE_CHECKING:
    from ..cloud import Cloud

REJECTED, STOPPED, INTERRUPTED = 1, 3, 130
"""Exit statuses: FullStory said no; not done, worth another try; stopped by the user."""


def connected(command: Callable[..., Any]) -> Callable[..., Any]:
    """Options that say which FullStory, and with which key."""
    for option in (
        click.option("--timeout", type=float, default=30, show_default=True, help="Seconds to wait for an answer."),
        click.option(
            "--retry-for",
            type=float,
            default=120,
            show_default=True,
            help="Seconds to try one request again when FullStory can't be had.",
        ),
        click.option(
            "--base-url", default="https://api.fullstory.com", show_default=True, help="A proxy, or a stand-in."
        ),
        click.option(
            "--api-key-file",
            type=click.Path(exists=True, dir_okay=False, path_type=Path),
            help="A file that holds the API key; by default the environment's FULLSTORY_API_KEY.",
        ),
    ):
        command = option(command)
    return command


def cloud(
    api_key_file: Path | None, base_url: str, timeout: float, retry_for: float, settings: str = "{}", parallel: int = 1
) -> Cloud:
    """The client for these options; exits with the status for wrong settings where there is none."""
    try:
        from ..cloud import Cloud, keys
    except ModuleNotFoundError as error:
        fail(missing(error.name, "cli"), WRONG_SETTINGS)
    try:
        if api_key_file is None and not os.environ.get(keys.VARIABLE, "").strip():
            fail(
                f"There is no API key: set {keys.VARIABLE} in the environment, or give --api-key-file.", WRONG_SETTINGS
            )
        key = api_key_file.read_text(encoding="utf-8-sig").strip() if api_key_file else None
        if key == "":
            fail(f"There is no API key in {api_key_file}.", WRONG_SETTINGS)
        return Cloud(
            key,
            settings=settings_from(settings),
            base_url=base_url,
            timeout=timeout,
            retry_for=retry_for,
            connections=parallel,
        )
    except (SettingsError, OSError, UnicodeError) as error:
        fail(str(error), WRONG_SETTINGS)


def fail(problem: str, status: int) -> NoReturn:
    """Say what is wrong and exit."""
    click.echo(f"Error: {problem}", err=True)
    raise SystemExit(status)
