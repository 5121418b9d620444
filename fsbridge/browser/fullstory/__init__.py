"""The right-hand room: where calls go. In a browser that is `FullStory`, which loads fs.js and performs calls on FS."""

from .calls import FullStory

__all__ = ["FullStory"]
