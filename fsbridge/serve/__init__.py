"""Serving fsbridge from Python: the files that a page loads, and the tag that loads them.

One line serves the files, under ``/fsbridge/``: ``app.add_middleware(fsbridge.serve.ASGI)`` in Starlette and FastAPI,
``app.wsgi_app = fsbridge.serve.WSGI(app.wsgi_app)`` in Flask, ``application = fsbridge.serve.WSGI(application)`` in
Django. `tag` is what a page's head gets, with ``integrity`` and preloads: a function, in Jinja as a global, in Django
after ``{% load fsbridge %}`` with "fsbridge.serve" among the INSTALLED_APPS.

The files are those in the wheel, or a folder that ``fsbridge build`` has written. `ASGI` and `WSGI` need the extra
"serve", which brings ServeStatic.
"""

from .files import ASGI, WSGI
from .html import Html, policy, tag

__all__ = ["ASGI", "WSGI", "Html", "policy", "tag"]
