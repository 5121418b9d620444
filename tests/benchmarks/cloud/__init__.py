"""The benchmark of cloud mode: ``nox -s bench-cloud``."""
