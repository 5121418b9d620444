"""The project's commands: ``nox -s tests``, or its parts ``lint``, ``types``, ``unit`` and ``browser``;
``nox -s demo``, ``nox -s build``, ``nox -s package``, ``nox -s release``, ``nox -s docs``, ``nox -s bench``,
``nox -s bench-cloud``."""

import nox

nox.needs_version = ">=2024.10.9"
nox.options.sessions = ["tests"]
nox.options.reuse_venv = "yes"

PROJECT = nox.project.load_toml("pyproject.toml")
DEVELOPMENT = nox.project.dependency_groups(PROJECT, "dev")
IN_BROWSERS = ("tests/e2e", "tests/conformance/browser")
DOCS = nox.project.dependency_groups(PROJECT, "docs")
BUILD = PROJECT["project"]["optional-dependencies"]["build"]


@nox.session
def demo(session: nox.Session) -> None:
    """Build the demo shop into dist/site and serve it on 127.0.0.1. ``-- --check`` only tries it out."""
    session.install("-e", ".[cli,build]")  # the playground runs code of the command line
    session.run("python", "-m", "tools.demo", *session.posargs)


@nox.session
def tests(session: nox.Session) -> None:
    """Everything: lint, types and all tests. Arguments after ``--`` go to pytest."""
    _install(session)
    _lint(session)
    session.run("mypy")
    _pytest(session, env=_browsers(session))


@nox.session
def lint(session: nox.Session) -> None:
    """Style, and what can be seen to be wrong without running it: seconds."""
    session.install(*(each for each in DEVELOPMENT if each.startswith("ruff")))
    _lint(session)


@nox.session
def types(session: nox.Session) -> None:
    """mypy, strict."""
    _install(session)
    session.run("mypy")


@nox.session
def unit(session: nox.Session) -> None:
    """The tests without a browser: units, recordings on CPython, cloud mode, the relay. ``--`` as for tests."""
    _install(session)
    _pytest(session, *(f"--ignore={folder}" for folder in IN_BROWSERS))


@nox.session
def browser(session: nox.Session) -> None:
    """The tests in browsers. Arguments after ``--`` go to pytest."""
    _install(session)
    _pytest(session, *([] if session.posargs else IN_BROWSERS), env=_browsers(session))


def _install(session: nox.Session) -> None:
    session.install("-e", ".[testing,liquid,cli,relay,serve,build]", *DEVELOPMENT, *DOCS)


def _lint(session: nox.Session) -> None:
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")
    session.run("python", "-m", "tools.biome")


def _pytest(session: nox.Session, *arguments: str, env: dict[str, str] | None = None) -> None:
    session.run("python", "-m", "tools.npm")
    server = session.run("python", "-m", "tools.nats", silent=True, stderr=None)
    servers = session.run("python", "-m", "tools.servers", silent=True, stderr=None)
    env = {**(env or {}), "FSBRIDGE_NATS_SERVER": server.strip(), "FSBRIDGE_SERVERS": servers.strip()}
    # One more than the processors of a small machine: there is always a test that waits.
    workers = ("-n", "3", "--dist", "loadfile", "--no-loadscope-reorder")
    session.run("pytest", *workers, *arguments, *session.posargs, env=env)


def _browsers(session: nox.Session) -> dict[str, str]:
    """The environment that says which browsers there are; they are installed where need be."""
    chromium = _chromium(session)
    firefox = session.run("python", "-m", "tools.firefox", silent=True, stderr=None)
    webkit = session.run("python", "-m", "tools.webkit", silent=True, stderr=None)
    found = {"FSBRIDGE_FIREFOX": firefox, "FSBRIDGE_WEBKIT": webkit}
    return {**chromium, **{name: path.strip() for name, path in found.items()}}


def _chromium(session: nox.Session) -> dict[str, str]:
    """The same for Chromium alone."""
    return {"FSBRIDGE_CHROMIUM": session.run("python", "-m", "tools.browser", silent=True, stderr=None).strip()}


@nox.session
def build(session: nox.Session) -> None:
    """Build dist/web: what a site serves."""
    session.install(*BUILD)
    session.run("python", "-m", "tools.npm")
    session.run("python", "-m", "fsbridge.build", "dist/web")


@nox.session
def package(session: nox.Session) -> None:
    """Make the packages in dist/packages; install each where nothing else is, and try it."""
    _install_for_packages(session)
    session.run("python", "-m", "tools.package", env=_chromium(session))


@nox.session
def release(session: nox.Session) -> None:
    """A dry run: check that versions agree, make and try the packages, print what would be published."""
    _install_for_packages(session)
    session.run("python", "-m", "tools.release", env=_chromium(session))


def _install_for_packages(session: nox.Session) -> None:
    """What makes the packages, and what tries npm's in a browser."""
    _install(session)
    session.install("build>=1.2")


@nox.session
def docs(session: nox.Session) -> None:
    """Write the documentation site to dist/docs, with the playground in it."""
    session.install("-e", ".[testing,cli,relay]", *DOCS)
    session.run("mkdocs", "build", "--strict", *session.posargs, env={"NO_MKDOCS_2_WARNING": "1"})
    session.run("python", "-m", "tools.playground", "dist/docs/playground")


@nox.session
def bench(session: nox.Session) -> None:
    """Measure fsbridge side by side with Segment and RudderStack. ``-- --help`` tells the options."""
    session.install("-e", ".[testing,cli,build]", *nox.project.dependency_groups(PROJECT, "bench"))
    session.run("python", "-m", "tests.benchmarks", *session.posargs, env=_browsers(session))


@nox.session(name="bench-cloud")
def bench_cloud(session: nox.Session) -> None:
    """Measure cloud mode and the relay against a stand-in for FullStory. ``-- --help`` tells the options."""
    session.install("-e", ".[relay]", "requests", "trustme")
    session.run("python", "-m", "tests.benchmarks.cloud", *session.posargs)
