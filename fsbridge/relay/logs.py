"""Structured logs: a JSON object a line on standard error, without secrets and without what messages hold."""

from __future__ import annotations

import json
import logging
import traceback
from datetime import UTC, datetime

_SPEAKING = ("fsbridge", "uvicorn")
"""Loggers whose texts are known to name no user; of all others only the name and the level are shown."""


class JsonLines(logging.Formatter):
    """One record as a JSON object: time, level, logger, event and the record's ``fields``."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line."""
        known = record.name.partition(".")[0] in _SPEAKING
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage().strip() if known and not record.exc_info else "",
            **getattr(record, "fields", {}),
        }
        if record.exc_info and record.exc_info[0]:
            # Where, and not what: an exception's text may quote what a message holds.
            where = traceback.extract_tb(record.exc_info[2])
            line["event"] = "unexpected error"
            line["error"] = record.exc_info[0].__name__
            line["at"] = [f"{frame.filename}:{frame.lineno}" for frame in where[-5:]]
        return json.dumps(line)


def configure() -> None:
    """Send the logs of this process to standard error, in this form."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    for name in _SPEAKING:
        logging.getLogger(name).setLevel(logging.INFO)
    logging.getLogger("uvicorn.access").setLevel(logging.CRITICAL)
