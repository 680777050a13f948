"""The page that a browser sees while the shop is being set up."""

from __future__ import annotations

import socket
import urllib.error
import urllib.request

import pytest

from retention_site.embedded.supervisor import is_healthy
from retention_site.embedded.waiting_page import show_waiting_page


def test_page_shows_progress_and_gives_the_socket_back() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with show_waiting_page(listener, lambda: "training <40 %>"):
            with pytest.raises(urllib.error.HTTPError) as refusal:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5)
            page = refusal.value.read().decode()
            assert (refusal.value.code, refusal.value.headers["Retry-After"]) == (503, "2")
            assert "training &lt;40 %&gt;" in page
            assert not is_healthy(port)
        with socket.create_connection(("127.0.0.1", port), timeout=5):
            accepted, _ = listener.accept()
            accepted.close()
