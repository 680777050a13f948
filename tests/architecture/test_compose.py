"""`compose.yaml` starts what the supervisor starts, with settings that exist. No engine of containers is needed here."""

from __future__ import annotations

import re
import socket
from pathlib import Path
from typing import Any

import pytest
import yaml

from retention_site.embedded.console import Console
from retention_site.embedded.postgres import SETTINGS, choose_buffers
from retention_site.embedded.state import ROOT, State
from retention_site.embedded.supervisor import make_programs

#: Their own images read these.
OF_OTHERS = {"POSTGRES_USER", "POSTGRES_PASSWORD", "POSTGRES_INITDB_ARGS"}


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))["services"]
    return found


def test_every_setting_it_hands_down_is_one(services: dict[str, Any]) -> None:
    listed = set(
        re.findall(r"^#?([A-Z][A-Z0-9_]+)=", (ROOT / ".env.example").read_text(encoding="utf-8"), re.MULTILINE)
    )
    named = {name for service in services.values() for name in service.get("environment", {})}
    asked = set(re.findall(r"\$\{([A-Z_]+)", (ROOT / "compose.yaml").read_text(encoding="utf-8")))
    assert named | asked <= listed | OF_OTHERS


def test_worker_and_web_run_as_under_the_supervisor(services: dict[str, Any], tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        worker, _beat, web = make_programs(State(tmp_path), {}, listener, Console())
    given = services["worker"]["command"].split()
    assert given[given.index("-Q") + 1] in worker.arguments
    assert {part for part in given if part.startswith("--without")} <= set(worker.arguments)
    image = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    for option in ("--preload", "--timeout", "--graceful-timeout", "--threads"):
        assert option in web.arguments and f'"{option}"' in image
        if option != "--preload":
            assert f'"{option}", "{web.arguments[web.arguments.index(option) + 1]}"' in image


def test_postgres_is_set_as_the_embedded_one_and_waited_for_over_tcp(services: dict[str, Any]) -> None:
    given = set(re.findall(r"-c (\S+)", services["postgres"]["command"]))
    wanted = {f"{key}={value}" for key, value in SETTINGS.items() if key not in {"listen_addresses", "log_timezone"}}
    wanted.add(f"shared_buffers={choose_buffers(8 * 1024)}")
    assert given == wanted
    assert "-h" in services["postgres"]["healthcheck"]["test"]


def test_whatever_needs_tables_waits_for_the_migrations(services: dict[str, Any]) -> None:
    for name in ("web", "worker", "beat"):
        assert services[name]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}
    assert "migrate" not in services["migrate"]["depends_on"]
