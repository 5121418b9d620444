"""The benchmark: fsbridge side by side with what it replaces. ``nox -s bench``; see docs/benchmark.md."""
