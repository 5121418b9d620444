"""The project's commands: ``nox -s demo``, ``nox -s tests``, ``nox -s build``."""

import nox

nox.needs_version = ">=2024.10.9"
nox.options.sessions = ["tests"]
nox.options.reuse_venv = "yes"

DEVELOPMENT = nox.project.dependency_groups(nox.project.load_toml("pyproject.toml"), "dev")


@nox.session
def demo(session: nox.Session) -> None:
    """Build the demo shop into dist/site and serve it on 127.0.0.1. ``-- --check`` only tries it out."""
    session.run("python", "-m", "tools.demo", *session.posargs)


@nox.session
def tests(session: nox.Session) -> None:
    """Lint, types and all tests. Arguments after ``--`` go to pytest."""
    session.install("-e", ".[testing,liquid,cli]", *DEVELOPMENT)
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")
    session.run("mypy")
    session.run("python", "-m", "tools.npm")
    chromium = session.run("python", "-m", "tools.browser", silent=True, stderr=None)
    session.run("pytest", "-n", "2", *session.posargs, env={"FSBRIDGE_CHROMIUM": chromium.strip()})


@nox.session
def build(session: nox.Session) -> None:
    """Build dist/web: what a site serves."""
    session.run("python", "-m", "tools.npm")
    session.run("python", "-m", "fsbridge.build", "dist/web")
