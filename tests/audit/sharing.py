"""A folder shown by a plain web server."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote


@contextmanager
def shared(folder: Path) -> Iterator[tuple[str, list[str]]]:
    """Its address, and the requests that were made so far."""
    asked: list[str] = []
    note = {"log_message": lambda _self, _form, *said: asked.append(unquote(str(said[0])))}
    quiet = type("Quiet", (SimpleHTTPRequestHandler,), note)
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(quiet, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()
