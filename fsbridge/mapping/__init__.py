"""Segment's small languages, as pure functions over port values: mappings, FQL, and the vendors' naming rules."""
