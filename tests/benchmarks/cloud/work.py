"""What is measured of fsbridge, in a process of its own, as vendors.mjs is. Prints figures as JSON.

python -m tests.benchmarks.cloud.work map FILE COUNT
python -m tests.benchmarks.cloud.work send_many|backfill FILE URL
"""

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fsbridge.cloud.destination import SegmentCloud
from fsbridge.destinations import configured
from tests import standin

Figures = dict[str, Any]


def memory(pid: int | str = "self", field: str = "VmRSS") -> float:
    """MB of a process on Linux, its peak with "VmHWM"."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return int(status.partition(field + ":")[2].split()[0]) / 1024


def map_(file: str, count: str) -> Figures:
    """Mapping alone: messages a second of one core's time, without and with the JSON text of the requests."""
    destination = configured(SegmentCloud, {}, strict=True)
    messages = list(_messages(file))
    times = int(count)
    plain, written = (_map_rate(destination, messages, times, write) for write in (False, True))
    (first,), _ = destination.requests(messages[0])
    return {"plain": plain, "written": written, "first": json.loads(first.body()), "MB": memory(field="VmHWM")}


def _map_rate(destination: Any, messages: list[Any], times: int, write: bool) -> float:
    def run(times: int) -> int:
        made = 0
        for number in range(times):
            requests, _ = destination.requests(messages[number % len(messages)])
            made += len(requests)
            if write:
                for request in requests:
                    request.body()
        return made

    run(times // 4)
    before = time.process_time()
    made = run(times)
    took = time.process_time() - before
    assert made == times
    return times / took


def cloud(what: str, file: str, url: str) -> Figures:
    """`send_many` or `backfill`: messages a second, seconds of CPU a message, peak memory."""
    from fsbridge.cloud import Cloud

    with Cloud(standin.KEY, base_url=url) as client:
        began, before = time.perf_counter(), time.process_time()
        done = getattr(client, what)(_messages(file))
        seconds, used = time.perf_counter() - began, time.process_time() - before
    assert done.rejected == 0
    return {"rate": done.messages / seconds, "cpu": used / done.messages, "MB": memory(field="VmHWM")}


def _messages(file: str) -> Iterator[Any]:
    with open(file, encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


if __name__ == "__main__":
    what, *given = sys.argv[1:]
    print(json.dumps(map_(*given) if what == "map" else cloud(what, *given)))
