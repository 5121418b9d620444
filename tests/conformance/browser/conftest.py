"""The stages that all recordings share, one of each kind a session."""

import pytest

from fsbridge.build import build_web
from tools import npm

from .stage import Stage, WarmStage


@pytest.fixture(scope="session")
def stages(browser, tmp_path_factory):
    """``stages(mode, timezone)``: "micropython" and "pyodide" on fresh pages, "warm" with one Pyodide for all."""
    web = tmp_path_factory.mktemp("dist") / "web"
    build_web(web, npm.provision(), for_release=False)
    made = {}

    def stage(mode, timezone="UTC"):
        key = (mode == "warm", timezone)
        if key not in made:
            made[key] = (WarmStage if mode == "warm" else Stage)(browser, web, timezone)
        return made[key]

    yield stage
    for each in made.values():
        each.close()
