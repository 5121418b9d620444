"""The Django application: template tags, and nothing else."""

from django.apps import AppConfig


class FsbridgeConfig(AppConfig):  # type: ignore[misc]
    """For INSTALLED_APPS: "fsbridge.serve"."""

    name = "fsbridge.serve"
    label = "fsbridge"
    verbose_name = "fsbridge"
