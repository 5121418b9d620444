"""URLs taken apart as the browser's URL class does, and query strings as its URLSearchParams does."""

from __future__ import annotations

from ..percent import encode, is_octet

_PORTS = {"http": ":80", "https": ":443", "ws": ":80", "wss": ":443", "ftp": ":21"}
_SCHEME = "abcdefghijklmnopqrstuvwxyz0123456789+-."
_PATH_KEEP = "%/:;@&=+$,[]|^\\"
_QUERY_KEEP = "%/:;@&=+$,[]|^\\?`{}"


class Url:
    """The parts of an absolute URL: ``origin``, ``host``, ``path`` and ``search``."""

    def __init__(self, origin: str, host: str, path: str, search: str) -> None:
        self.origin = origin
        self.host = host
        self.path = path
        self.search = search


def parse(url: str) -> Url | None:
    """The parts of ``url``, None when it isn't absolute."""
    rest = url.strip().split("#", 1)[0]
    scheme, colon, rest = rest.partition(":")
    scheme = scheme.lower()
    if not colon or not scheme or not scheme[0].isalpha() or any([char not in _SCHEME for char in scheme]):
        return None
    rest, _, query = rest.partition("?")
    search = "?" + encode(query, _QUERY_KEEP) if query else ""
    if scheme in _PORTS:
        search = search.replace("'", "%27")
        rest = rest.replace("\\", "/").lstrip("/")
        host, _, path = rest.partition("/")
        host = host.rpartition("@")[2].lower()
        if host.endswith(_PORTS[scheme]):
            host = host[: -len(_PORTS[scheme])]
        if not host or " " in host:
            return None
        return Url(scheme + "://" + host, host, "/" + encode(path, _PATH_KEEP), search)
    host = ""
    if rest.startswith("//"):
        host, slash, path = rest[2:].partition("/")
        rest = encode(slash + path, _PATH_KEEP)
    return Url("null", host, rest, search)


def referring_domain(referrer: str) -> str:
    """The host of a referrer, empty where there is none."""
    url = parse(referrer)
    return url.host if url else ""


def without_hash(url: str) -> str:
    """Origin, path and query of a URL; what isn't one stays as it is."""
    parts = parse(url)
    return parts.origin + parts.path + parts.search if parts else url


def query_pairs(search: str) -> list[tuple[str, str]]:
    """Names and values of a query string, in order."""
    pairs = []
    for part in search.lstrip("?").split("&"):
        if part:
            name, _, value = part.partition("=")
            pairs.append((_form_decoded(name), _form_decoded(value)))
    return pairs


def _form_decoded(text: str) -> str:
    """Percent-decoded, with "+" as space; a stray "%" stays."""
    parts = text.replace("+", " ").split("%")
    octets = bytearray(parts[0].encode())
    for part in parts[1:]:
        if is_octet(part[:2]):
            octets.append(int(part[:2], 16))
            part = part[2:]
        else:
            part = "%" + part
        octets.extend(part.encode())
    try:
        return bytes(octets).decode()
    except (ValueError, UnicodeError):
        return text.replace("+", " ")
