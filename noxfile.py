"""The project's commands: ``nox -s demo``, ``nox -s tests``, ``nox -s build``, ``nox -s bench``,
``nox -s bench-cloud``."""

import nox

nox.needs_version = ">=2024.10.9"
nox.options.sessions = ["tests"]
nox.options.reuse_venv = "yes"

PROJECT = nox.project.load_toml("pyproject.toml")
DEVELOPMENT = nox.project.dependency_groups(PROJECT, "dev")
BUILD = PROJECT["project"]["optional-dependencies"]["build"]


@nox.session
def demo(session: nox.Session) -> None:
    """Build the demo shop into dist/site and serve it on 127.0.0.1. ``-- --check`` only tries it out."""
    session.install(*BUILD)
    session.run("python", "-m", "tools.demo", *session.posargs)


@nox.session
def tests(session: nox.Session) -> None:
    """Lint, types and all tests. Arguments after ``--`` go to pytest."""
    session.install("-e", ".[testing,liquid,cli,relay,build]", *DEVELOPMENT)
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")
    session.run("mypy")
    session.run("python", "-m", "tools.biome")
    chromium = session.run("python", "-m", "tools.browser", silent=True, stderr=None)
    firefox = session.run("python", "-m", "tools.firefox", silent=True, stderr=None)
    browsers = {"FSBRIDGE_CHROMIUM": chromium.strip(), "FSBRIDGE_FIREFOX": firefox.strip()}
    session.run("pytest", "-n", "2", *session.posargs, env=browsers)


@nox.session
def build(session: nox.Session) -> None:
    """Build dist/web: what a site serves."""
    session.install(*BUILD)
    session.run("python", "-m", "tools.npm")
    session.run("python", "-m", "fsbridge.build", "dist/web")


@nox.session
def bench(session: nox.Session) -> None:
    """Measure fsbridge side by side with Segment and RudderStack. ``-- --help`` tells the options."""
    session.install("-e", ".[testing,cli,build]", *nox.project.dependency_groups(PROJECT, "bench"))
    chromium = session.run("python", "-m", "tools.browser", silent=True, stderr=None)
    session.run("python", "-m", "tests.benchmarks", *session.posargs, env={"FSBRIDGE_CHROMIUM": chromium.strip()})


@nox.session(name="bench-cloud")
def bench_cloud(session: nox.Session) -> None:
    """Measure cloud mode and the relay against a stand-in for FullStory. ``-- --help`` tells the options."""
    session.install("-e", ".[relay]")
    session.run("python", "-m", "tests.benchmarks.cloud", *session.posargs)
