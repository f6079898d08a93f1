"""This installation's own pages on a loopback port, for an audit that was given no URL."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
from django.core.wsgi import get_wsgi_application
from django.test.utils import override_settings

# On loopback there is no TLS and no host name; nothing else differs from what voters get.
_ON_LOOPBACK = {
    "ALLOWED_HOSTS": ["127.0.0.1"],
    "SECURE_SSL_REDIRECT": False,
    "SESSION_COOKIE_SECURE": False,
    "CSRF_COOKIE_SECURE": False,
}


class _Quiet(WSGIRequestHandler):
    disable_nagle_algorithm = True  # or every small answer waits 40 ms for an acknowledgement

    def log_message(self, format: str, *args: Any) -> None:
        pass


@contextmanager
def own_site() -> Iterator[str]:
    """Serve until the block ends; yields its URL."""
    with override_settings(**_ON_LOOPBACK):
        server = ThreadedWSGIServer(("127.0.0.1", 0), _Quiet, connections_override={})
        server.set_app(get_wsgi_application())
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            server.server_close()
            thread.join()
