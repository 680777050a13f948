"""What a browser sees at our address while the shop is still being set up: the last line of the terminal."""

from __future__ import annotations

import html
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta http-equiv="refresh" content="2"><title>Rekindle is being set up</title>
<meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark">
<style>body{{font:1.1rem/1.6 system-ui,sans-serif;max-width:34rem;margin:20vh auto;padding:0 1.5rem}}</style>
<h1>Rekindle is being set up</h1><p role="status">{progress}</p><p>This page reloads by itself.</p>
<p lang="zh-Hans">正在准备 Rekindle，本页会自动刷新。</p></html>
"""


@contextmanager
def show_waiting_page(listener: socket.socket, read_progress: Callable[[], str]) -> Iterator[None]:
    """Answer every request with 503 and this page; afterwards the same socket serves the web server."""

    class Handler(BaseHTTPRequestHandler):
        timeout = 5

        def do_GET(self) -> None:
            body = PAGE.format(progress=html.escape(read_progress())).encode()
            self.send_response(503)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Retry-After", "2")
            self.end_headers()
            self.wfile.write(body)

        do_HEAD = do_POST = do_GET

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """The terminal belongs to what is being set up."""

    server = HTTPServer(listener.getsockname()[:2], Handler, bind_and_activate=False)
    server.socket.close()
    server.socket = listener.dup()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
