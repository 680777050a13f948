"""A real language model, small enough for CI, drafts through a real Celery worker and the real broker.

What it writes is not judged: structure, origin and verdicts are, and that nothing of a person was shown to it.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterator

import pytest
from celery.contrib.testing.worker import start_worker
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from campaigns.content.drafting import request_drafts
from campaigns.models import Archetype, Campaign, DraftStatus, Offer, Variant
from campaigns.tasks import draft_archetype
from customers.models import Segment
from llm.models import LlmCall
from retention_site.celery import app
from retention_site.embedded.local_model import ensure_model, serve_model
from tests.conftest import MakeUser

pytestmark = [pytest.mark.model, pytest.mark.django_db(transaction=True)]
PATIENCE_S = 240


@pytest.fixture(scope="module")
def model_address() -> Iterator[str]:
    said: list[str] = []
    path = ensure_model("smollm2-135m", said.append)
    if path is None:
        pytest.skip(f"the weights of the 135M model could not be had: {' '.join(said)}")
    with serve_model(path) as base_url:
        yield base_url


def test_a_small_model_drafts_through_a_worker(model_address: str, settings: Settings, make_user: MakeUser) -> None:
    settings.LLM_BASE_URL, settings.LLM_MODEL, settings.LLM_API_KEY = model_address, "smollm2-135m", "x"
    settings.LLM_LABEL, settings.LLM_TIMEOUT_S = "small local model, limited quality", 180.0
    archetype = _make_archetype(make_user)
    assert request_drafts([archetype], user=archetype.campaign.author, now=timezone.now()) == 1
    app.loader.import_default_modules()
    with start_worker(app, pool="solo", perform_ping_check=False, queues=["drafting"], shutdown_timeout=30):
        draft_archetype.apply_async([archetype.pk], queue="drafting")
        _wait_for_draft(archetype)

    calls = LlmCall.objects.filter(purpose="draft_message")
    assert calls.exists()
    assert all(call.model == "smollm2-135m" for call in calls)
    if archetype.draft_status == DraftStatus.DRAFTED:
        text = Variant.objects.get(archetype=archetype)
        assert text.origin == Variant.Origin.MODEL
        assert text.model_label == "small local model, limited quality"
        assert not any(character in "0123456789%{}[]<>" for character in text.subject + text.opening + text.invitation)
        assert {finding["verdict"] for finding in text.findings} <= {"pass", "warn", "block"}
        assert text.content_hash
    else:
        assert archetype.draft_error, "a model that cannot do it is a state with a sentence"


def _make_archetype(make_user: MakeUser) -> Archetype:
    segment = Segment.objects.create(name="Leaving", rule={})
    campaign = Campaign.objects.create(
        name="Autumn", segment=segment, author=make_user("mara", "marketer"), holdout_seed="5eed"
    )
    Offer.objects.create(
        campaign=campaign, kind=Offer.Kind.PERCENT, value=10, currency="EUR", code="HIKE10",
        valid_until=timezone.now().date() + dt.timedelta(days=20),
    )  # fmt: skip
    return Archetype.objects.create(campaign=campaign, cell="rhythm||en", reason="rhythm", language="en", size=40)


def _wait_for_draft(archetype: Archetype) -> None:
    """Until the worker has settled the row; a model that is slow on a busy machine is no fault."""
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        archetype.refresh_from_db()
        if archetype.draft_status in (DraftStatus.DRAFTED, DraftStatus.FAILED):
            break
        if archetype.draft_error:  # a first try that will be repeated by the sweep says why
            archetype.draft_status = DraftStatus.FAILED
            break
        time.sleep(0.5)
    else:
        pytest.fail(f"the draft is still {archetype.draft_status}")
    connection.close()
