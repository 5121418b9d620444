"""The stages that all recordings share, one of each kind a session."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Playwright

from tests.e2e.engines import Engines
from tests.e2e.net import Net

from .engine_stage import EngineStage
from .stage import Internet, Stage, WarmStage


@pytest.fixture(scope="session")
def stages(browser: Browser, playwright: Playwright, web: Path) -> Iterator[Any]:
    """``stages(mode, timezone)``: "micropython" and "pyodide" on fresh pages, "warm" with one Pyodide for all.

    "firefox" and "webkit" are on fresh pages with MicroPython.
    """
    made: dict[Any, Any] = {}
    internet = Internet(web)
    net = Net(internet)
    engines = Engines(playwright, net.proxy)

    def stage(mode: str, timezone: str = "UTC") -> Any:
        key = (mode if mode in ("firefox", "webkit", "warm") else "", timezone)
        if key not in made:
            if mode in ("firefox", "webkit"):
                made[key] = EngineStage(engines.get(mode), internet)
            else:
                made[key] = (WarmStage if mode == "warm" else Stage)(browser, internet, net.proxy, timezone)
        return made[key]

    stage.internet, stage.proxy = internet, net.proxy  # type: ignore[attr-defined]
    yield stage
    for each in made.values():
        each.close()
    engines.close()
    net.close()
