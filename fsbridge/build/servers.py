"""How servers deliver a release: types, compressed copies, and how long browsers may keep a file."""

from collections.abc import Callable

KEEP_FOR_EVER = "public, max-age=31536000, immutable"
KEEP_FOR_MINUTES = "public, max-age=300"
HASHED = "-[0-9a-f]+[./]"
"""A pattern that the addresses of files match whose content never changes."""


def nginx(path: str, folder: str) -> str:
    """A ``location`` for nginx that serves ``folder`` under ``path``, which begins and ends with a slash."""
    return f"""\
# nginx: in the server block of your site. The folder is the one that `fsbridge build` writes.
location {path} {{
    alias {folder};
    types {{
        text/javascript js;
        application/json json;
        application/wasm wasm;
        application/zip zip;
    }}
    default_type application/octet-stream;
    gzip_static on;
    gzip_vary on;
    # brotli_static on;  # with the Brotli module, Debian's libnginx-mod-http-brotli-static
    set $keep "{KEEP_FOR_MINUTES}";
    if ($uri ~ "{HASHED}") {{
        set $keep "{KEEP_FOR_EVER}";
    }}
    add_header Cache-Control $keep;
    add_header Access-Control-Allow-Origin *;
}}
"""


def caddy(path: str, folder: str) -> str:
    """A block for a site in Caddy's Caddyfile; like `nginx`."""
    return f"""\
# Caddy: in the block of your site. The folder is the one that `fsbridge build` writes.
handle_path {path}* {{
    root * {folder}
    @hashed path_regexp {HASHED}
    @changing not path_regexp {HASHED}
    @scripts path *.js
    @snapshots path *.snapshot
    header @hashed Cache-Control "{KEEP_FOR_EVER}"
    header @changing Cache-Control "{KEEP_FOR_MINUTES}"
    header @scripts Content-Type "text/javascript; charset=utf-8"
    header @snapshots Content-Type application/octet-stream
    header Access-Control-Allow-Origin *
    file_server {{
        precompressed br gzip
    }}
}}
"""


def any_server(path: str, folder: str) -> str:
    """What to tell any other server, in words."""
    return f"""\
Any server: {folder} under {path}, with these headers.
- Cache-Control: {KEEP_FOR_EVER}
  for names with a hash (-1a2b3c4d), and all files in such folders; for the others
  Cache-Control: {KEEP_FOR_MINUTES}
- Content-Type: text/javascript for .js, application/wasm for .wasm, application/octet-stream for .snapshot
- the copies .br (Content-Encoding: br) and .gz (gzip) to browsers that accept them, with Vary: Accept-Encoding
- from another host than the page's: Access-Control-Allow-Origin: *
"""


SERVERS: dict[str, Callable[[str, str], str]] = {"nginx": nginx, "caddy": caddy, "other": any_server}
