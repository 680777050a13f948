"""What docs/api.md shows works as it stands: its shell and Python blocks are run in their order against a server."""

from __future__ import annotations

import os
import re
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests
from django.conf import settings
from django.contrib.auth.models import User
from django.urls import resolve
from django.utils import timezone

from campaigns import tasks
from campaigns.content import drafting
from campaigns.models import Campaign, CampaignStatus
from customers.api.authentication import issue_api_key
from customers.models import ConsentRecord, Customer, ModelVersion, Order, Score

GUIDE = (Path(settings.BASE_DIR) / "docs" / "api.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(sh|python)\n(.*?)^```$", GUIDE, re.DOTALL | re.MULTILINE)
#: The guide's `curl` says what came back and goes on; here a refusal ends the block.
STRICT = 'set -eu\ncurl() { command curl --silent --show-error --fail-with-body --max-time 60 "$@"; echo; }\n'


def test_every_address_of_the_guide_exists() -> None:
    text = re.sub(r"\{[^}]*\}", "1", GUIDE.replace("{base}", "/api/v1/campaigns/1"))
    found = {path for path in re.findall(r"/api/v1/[a-z0-9/-]+", text) if path.endswith("/") or path.endswith("batch")}
    assert len(found) > 20
    for path in found:
        resolve(path)


@pytest.mark.django_db(transaction=True)
def test_every_block_of_the_guide_works_as_it_stands(
    live_server: Any, site_admin: User, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    """A pause of the guide is the moment at which the sweeps run; nothing else is done for it."""
    _predict_for_the_shop()
    _row, key = issue_api_key(site_admin, "guide")
    answers: list[tuple[str, int]] = []
    names: dict[str, Any] = {}
    monkeypatch.setattr(time, "sleep", _make_pause())
    assert {language for language, _block in BLOCKS} == {"sh", "python"} and len(BLOCKS) >= 16
    request.addfinalizer(
        lambda: names["api"].close()
    )  # else a thread of the server keeps its connection to the database
    for language, block in BLOCKS:
        told = block.replace("https://rekindle.shop.example", live_server.url).replace("rk_…", key)
        if language == "sh":
            _run_in_shell(told, live_server.url, key)
            continue
        exec(compile(told, f"api.md: {block[:40]!r}", "exec"), names)
        if not answers:
            names["api"].hooks["response"].append(lambda answer, **_: _note(answers, answer))
            _note(answers, names["api"].get(f"{live_server.url}/api/v1/customers/"))
    assert {row["status"] for row in names["answer"]["results"]} == {"created", "failed"}
    assert Customer.objects.get(external_id="17850").first_name == "Ana"
    assert set(Order.objects.values_list("external_id", flat=True)) == {"o-1"}, "one without lines is none"
    assert Campaign.objects.get().status == CampaignStatus.IN_REVIEW
    assert len(answers) > 15


def _make_pause() -> Callable[[float], None]:
    """A pause in which the worker does its part; not for ever, and only for the guide."""
    guide, real, pauses = threading.current_thread(), time.sleep, iter(range(20))

    def pause(seconds: float) -> None:
        if threading.current_thread() is not guide:
            return real(seconds)
        assert next(pauses, None) is not None, "the guide waits for ever"
        for archetype in drafting.archetypes_waiting(timezone.now()):
            tasks.draft_archetype(archetype)

    return pause


def _predict_for_the_shop() -> None:
    """Customers of France with a consent and a prediction, as a shop has them by the first night."""
    now = timezone.now()
    model = ModelVersion.objects.create(
        version=1, estimator="plain_rule", horizon_days=60, trained_at=now, data_from=now, data_until=now, artifact=b""
    )
    for number in range(20):
        person = Customer.objects.create(
            external_id=f"c{number}", email=f"c{number}@shop.example", country="France", language="en"
        )
        ConsentRecord.objects.create(
            customer=person, status="given", legal_basis="consent", source="checkout", recorded_at=now
        )
        Score.objects.create(customer=person, model=model, as_of=now, churn_probability=0.7, main_reason="rhythm")


def _run_in_shell(block: str, site: str, key: str) -> None:
    found = subprocess.run(
        ["sh", "-c", STRICT + block],
        env={**os.environ, "REKINDLE": site, "KEY": key},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert found.returncode == 0, f"{block}\n{found.stdout[-1000:]}\n{found.stderr[-1000:]}"


def _note(answers: list[tuple[str, int]], answer: requests.Response) -> None:
    answers.append((answer.url, answer.status_code))
