"""The relay: takes messages by the HTTP API of Segment's and RudderStack's SDKs and delivers them to FullStory.

A message is acknowledged when it is on disk, and leaves the disk when FullStory has it. From front to back: `app`
answers requests, `bodies` and `tracking` read them, `committer` writes to the `queue`, `delivery` empties it. On
servers only.
"""
