"""HTTP by libcurl: one request at a time for threads, many at a time for asyncio. Both keep connections open."""

from __future__ import annotations

import asyncio
import ctypes
import os
import queue
import threading
from contextlib import suppress
from typing import Any

import certifi
import pycurl

from ..version import VERSION
from .http import MAX_ANSWER, Answer, Call, Engine, NoAnswer

_WEIRD_REPLY = 8
"""CURLE_WEIRD_SERVER_REPLY, which pycurl doesn't name."""


_TLS = "unreachable: TLS failed"
_REASONS = {
    pycurl.E_COULDNT_RESOLVE_HOST: "unreachable: the name of the server can't be resolved",
    pycurl.E_COULDNT_RESOLVE_PROXY: "unreachable: the name of the proxy can't be resolved",
    pycurl.E_SSL_CONNECT_ERROR: _TLS,
    pycurl.E_PEER_FAILED_VERIFICATION: f"{_TLS}: its certificate is not trusted",
    pycurl.E_SSL_CACERT_BADFILE: f"{_TLS}: the file of trusted certificates can't be read",
    pycurl.E_UNSUPPORTED_PROTOCOL: "the answer is not HTTP",
    _WEIRD_REPLY: "the answer is not HTTP",
}


def _certificates() -> str:
    """The file with the authorities that are trusted: the environment's, else certifi's."""
    for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        if os.environ.get(name):
            return os.environ[name]
    return certifi.where()


class Handle:
    """A handle of curl's, for one request at a time: it keeps what doesn't change between requests.

    Proxies are those of the environment.
    """

    def __init__(self) -> None:
        self._size = 0
        self._content: list[bytes] = []
        self._head: list[bytes] = []
        self.curl = curl = pycurl.Curl()
        for option, value in (
            (pycurl.NOSIGNAL, 1),
            (pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS),
            (pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_1_1),
            (pycurl.FOLLOWLOCATION, 0),  # only to the same host, and by hand: see `transport`
            (pycurl.PATH_AS_IS, 1),  # a user's id may be ".."
            (pycurl.CAINFO, _certificates()),
            (pycurl.TCP_KEEPALIVE, 1),
            (pycurl.USERAGENT, f"fsbridge/{VERSION}"),
            (pycurl.WRITEFUNCTION, self._receive),
            (pycurl.HEADERFUNCTION, self._head.append),
        ):
            curl.setopt(option, value)

    def begin(self, call: Call) -> None:
        """Prepare it for a request."""
        curl = self.curl
        self._size = 0
        self._content = []
        self._head.clear()
        curl.setopt(pycurl.URL, call.url)
        curl.setopt(pycurl.HTTPHEADER, [*call.headers, "Expect:"])  # and no waiting for leave to send the body
        curl.setopt(pycurl.TIMEOUT_MS, max(int(call.timeout * 1000), 1))
        if call.method == "POST":
            curl.setopt(pycurl.POSTFIELDS, call.body or b"")
            curl.unsetopt(pycurl.CUSTOMREQUEST)
        else:
            curl.setopt(pycurl.HTTPGET, 1)
            curl.setopt(pycurl.CUSTOMREQUEST, call.method)

    def _receive(self, chunk: bytes) -> int:
        self._size += len(chunk)
        if self._size > MAX_ANSWER:
            return -1
        self._content.append(chunk)
        return len(chunk)

    def answer(self) -> Answer:
        """What the request brought."""
        getinfo = self.curl.getinfo
        status = getinfo(pycurl.RESPONSE_CODE)
        content = b"".join(self._content)
        if status == 200:
            return Answer(200, content, getinfo(pycurl.CONTENT_TYPE) or "")
        return Answer(
            status,
            content,
            getinfo(pycurl.CONTENT_TYPE) or "",
            getinfo(pycurl.REDIRECT_URL) or "",
            getinfo(pycurl.RETRY_AFTER),
            self._head[0].decode("latin-1").partition(" ")[2].partition(" ")[2].strip(),
        )

    def failure(self, code: int, timeout: float) -> NoAnswer:
        """Why it brought nothing, by curl's code."""
        if code == pycurl.E_OPERATION_TIMEDOUT:
            return NoAnswer(f"no answer within {timeout:g} s")
        if code == pycurl.E_WRITE_ERROR:
            return NoAnswer(f"the answer is longer than {MAX_ANSWER >> 20} MB")
        if code == pycurl.E_COULDNT_CONNECT:
            number = self.curl.getinfo(pycurl.OS_ERRNO)
            return NoAnswer(f"unreachable: {os.strerror(number) if number else 'no connection'}")
        return NoAnswer(_REASONS.get(code, "the connection was cut"))


class Blocking(Engine):
    """For threads, each of which waits for its own request; ``connections`` are kept open between requests."""

    def __init__(self, connections: int) -> None:
        self._connections = connections
        self._closing = threading.Event()
        self._process = 0
        self._free: queue.LifoQueue[Handle] = queue.LifoQueue()

    async def exchange(self, call: Call) -> Answer:
        if self._process != os.getpid():
            self._begin()
        try:
            handle = self._free.get_nowait()
        except queue.Empty:
            handle = Handle()
        try:
            handle.begin(call)
            handle.curl.perform()
            return handle.answer()
        except pycurl.error as error:
            failure = handle.failure(int(error.args[0]), call.timeout)
        finally:
            if self._closing.is_set() or self._free.qsize() >= self._connections:
                handle.curl.close()
            else:
                self._free.put(handle)
        raise failure  # out here it carries no trace of the request, which holds the credentials

    def _begin(self) -> None:
        """In a new process: connections are its own, and those of the one it was forked from are not to be closed."""
        inherited, self._free = self._free, queue.LifoQueue()
        if self._process:
            _leave(inherited)
        self._process = os.getpid()

    async def pause(self, seconds: float) -> bool:
        return not self._closing.wait(seconds)

    def close(self) -> None:
        self._closing.set()
        with suppress(queue.Empty):
            while self._process == os.getpid():
                self._free.get_nowait().curl.close()


def _leave(thing: object) -> None:
    """Never end an object: closing a connection that is another process's, too, would tell its server goodbye."""
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(thing))


class Multi(Engine):
    """For asyncio: up to ``connections`` requests at a time on one event loop, the first that makes one."""

    def __init__(self, connections: int) -> None:
        self._connections = connections
        self._closed = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._process = 0
        self._multi: Any = None
        self._free: list[Handle] = []
        self._waiting: dict[Any, asyncio.Future[int]] = {}
        self._readers: set[int] = set()
        self._writers: set[int] = set()
        self._timer: asyncio.TimerHandle | None = None

    def _begin(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._loop is not None and self._process != os.getpid():
            _leave(self._multi)
        self._loop = loop
        self._process = os.getpid()
        self._one_of_many = asyncio.Semaphore(self._connections)
        self._closing = asyncio.Event()
        for kept in (self._free, self._readers, self._writers, self._waiting):
            kept.clear()
        self._multi = pycurl.CurlMulti()
        self._multi.setopt(pycurl.M_SOCKETFUNCTION, self._watch)
        self._multi.setopt(pycurl.M_TIMERFUNCTION, self._set_timer)
        self._multi.setopt(pycurl.M_MAXCONNECTS, self._connections)

    async def exchange(self, call: Call) -> Answer:
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self._begin(loop)
        async with self._one_of_many:
            handle = self._free.pop() if self._free else Handle()
            handle.begin(call)
            done = self._waiting[handle.curl] = loop.create_future()
            try:
                self._multi.add_handle(handle.curl)
                self._act(pycurl.SOCKET_TIMEOUT, 0)
                code = await done
            finally:
                del self._waiting[handle.curl]
                self._multi.remove_handle(handle.curl)
            self._free.append(handle)
            if code == pycurl.E_OK:
                return handle.answer()
            raise handle.failure(code, call.timeout)

    def _act(self, socket: int, events: int) -> None:
        """Let curl do what it can, and tell those whose requests are done."""
        self._multi.socket_action(socket, events)
        more = 1
        while more:
            more, well, failed = self._multi.info_read()
            for curl, code in [*((curl, 0) for curl in well), *((curl, code) for curl, code, _ in failed)]:
                done = self._waiting.get(curl)
                if done is not None and not done.done():
                    done.set_result(code)

    def _watch(self, what: int, socket: int, multi: Any, data: Any) -> None:
        """What curl waits for on a socket."""
        assert self._loop is not None
        for wanted, watched, add, remove, event in (
            (pycurl.POLL_IN, self._readers, self._loop.add_reader, self._loop.remove_reader, pycurl.CSELECT_IN),
            (pycurl.POLL_OUT, self._writers, self._loop.add_writer, self._loop.remove_writer, pycurl.CSELECT_OUT),
        ):
            if what != pycurl.POLL_REMOVE and what & wanted:
                if socket not in watched:
                    watched.add(socket)
                    add(socket, self._act, socket, event)
            elif socket in watched:
                watched.discard(socket)
                remove(socket)

    def _set_timer(self, milliseconds: int) -> None:
        assert self._loop is not None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if milliseconds >= 0:
            self._timer = self._loop.call_later(milliseconds / 1000, self._act, pycurl.SOCKET_TIMEOUT, 0)

    async def pause(self, seconds: float) -> bool:
        if not self._closed:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._closing.wait(), seconds)
        return not self._closed

    def close(self) -> None:
        self._closed = True
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._end)

    def _end(self) -> None:
        self._closing.set()
        while self._free:
            self._free.pop().curl.close()
