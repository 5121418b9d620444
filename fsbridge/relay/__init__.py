"""The relay: takes messages by the HTTP API of Segment's and RudderStack's SDKs and delivers them to FullStory.

A message is acknowledged when it is in the queue, a file or a cluster of servers, and leaves it when FullStory has it.
From front to back: `protocol` bounds connections, `app` answers requests, `bodies` and `tracking` read them,
`committer` writes to the `queue`. The
`supervisor` keeps a process, `delivering`, in which `dispatch` empties the queue, each user's lane in order. On servers
only.
"""
