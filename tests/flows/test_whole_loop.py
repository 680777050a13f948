"""The whole loop, thin but real at every joint: a file of orders in, the customers kept because of a campaign out.

Pages are asked as a browser asks them; PostgreSQL and Valkey are real; drafts come over HTTP from a server that speaks the
model protocol; messages leave by SMTP into the mail catcher's own process. What a worker would do is done by calling
the same tasks.
"""

from __future__ import annotations

import csv
import datetime as dt
import json
import re
import zoneinfo
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from campaigns import tasks as campaign_tasks
from campaigns.content.rendering import load_source, render_message
from campaigns.models import (
    Approval,
    Archetype,
    Arm,
    AudienceMember,
    Campaign,
    CampaignResult,
    CampaignTransition,
    Message,
    MessageStatus,
    Variant,
)
from campaigns.outcomes.rollup import store_result
from customers import tasks as customer_tasks
from customers.models import Customer, CustomerEvent, ImportRun, ModelVersion, Order, Score, Segment, Suppression
from llm.models import LlmCall
from retention_site.demo.simulator import simulate_shop
from retention_site.embedded.mail_catcher import MailCatcher, list_caught
from tests.conftest import MakeUser
from tests.model_server import ModelServer, answer_for, use_model_server

pytestmark = pytest.mark.django_db(transaction=True)
COLUMNS = ("Invoice", "SKU", "Name", "Quantity", "Date", "Price", "Customer", "Country")


@pytest.fixture
def model(settings: Any) -> Iterator[ModelServer]:
    with ModelServer() as server:
        server.answer_with(lambda request: answer_for(request, "Good to see you out there again"))
        use_model_server(settings, server)
        yield server


@pytest.fixture
def mail_folder(tmp_path: Path, settings: Any) -> Iterator[Path]:
    """The built-in mail catcher, a process of its own."""
    catcher = MailCatcher(tmp_path / "catcher", folder=tmp_path / "mail")
    catcher.start()
    settings.EMAIL_HOST = catcher.environment["MAIL_CATCHER_HOST"]
    settings.EMAIL_PORT = int(catcher.environment["MAIL_CATCHER_PORT"])
    yield tmp_path / "mail"
    catcher.stop()


def _write_orders(folder: Path, today: dt.datetime) -> bytes:
    """Two years of a small simulated shop as a file of a shop that knows no addresses, with some faults in it."""
    shop = simulate_shop(customers=500, seed=5, today=today)
    lines = shop.order_lines.join(
        shop.orders.select("external_id", "ordered_at", "customer_external_id"),
        left_on="order_external_id", right_on="external_id",
    ).join(shop.products.select("sku", "name"), on="sku")  # fmt: skip
    path = folder / "orders.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for row in lines.sort("ordered_at", "order_external_id", "position").iter_rows(named=True):
            writer.writerow([
                row["order_external_id"], row["sku"], row["name"], row["quantity"],
                row["ordered_at"].strftime("%Y-%m-%d %H:%M"), row["unit_price"], row["customer_external_id"], "Scotland",
            ])  # fmt: skip
        writer.writerow(["X1", "S", "Nobody's", 1, "2026-01-02 10:00", 5, "", "Scotland"])
        writer.writerow(["X2", "S", "Broken", 1, "yesterday", 5, "c-x", "Scotland"])
    return path.read_bytes()


def test_from_a_file_of_orders_to_the_customers_kept(
    model: ModelServer, mail_folder: Path, make_user: MakeUser, tmp_path: Path
) -> None:
    marketer, approver = make_user("mara", "marketer"), make_user("ava", "approver")
    mara, ava = Client(), Client()
    mara.force_login(marketer)
    ava.force_login(approver)

    _import_orders(mara, _write_orders(tmp_path, timezone.now()))
    _train_and_score(mara)
    segment = _make_segment(mara)
    campaign = _make_campaign(mara, segment)
    _freeze_audience(mara, campaign)
    _draft_messages(mara, campaign, model)
    _set_timing(mara, campaign)
    _approve(mara, ava, campaign, marketer)
    _send(campaign, ava, mail_folder)
    _unsubscribe_one(campaign, mail_folder)
    _measure(mara, campaign)


def _import_orders(mara: Client, content: bytes) -> None:
    def upload() -> ImportRun:
        response = mara.post("/imports/new/", {"file": SimpleUploadedFile("orders.csv", content, "text/csv")})
        assert response.status_code == 302, response.content.decode()[:2000]
        response = mara.post(
            response["Location"],
            {
                "column_order": "Invoice", "column_product": "SKU", "column_name": "Name", "column_quantity": "Quantity",
                "column_at": "Date", "column_price": "Price", "column_customer": "Customer", "column_country": "Country",
                "currency": "EUR", "time_zone": "Europe/London", "test_contacts": "on", "action": "import",
            },
        )  # fmt: skip
        assert response.status_code == 302, response.content.decode()[:2000]
        run = ImportRun.objects.latest("pk")
        customer_tasks.import_file(run.pk)
        run.refresh_from_db()
        assert run.status == ImportRun.Status.DONE, run.error
        return run

    first = upload()
    assert first.report["left_out"] == {"missing_customer": 1, "bad_date": 1}
    assert first.report["created"] + 2 == first.report["lines_read"]
    customers, orders = Customer.objects.count(), Order.objects.count()
    second = upload()
    assert (second.report["created"], second.report["updated"]) == (0, 0)
    assert (Customer.objects.count(), Order.objects.count()) == (customers, orders)
    page = mara.get(f"/imports/{first.pk}/").content.decode()
    assert "Left out, and why" in page


def _train_and_score(mara: Client) -> None:
    customer_tasks.train_and_score()
    model = ModelVersion.objects.get()
    assert model.status == ModelVersion.Status.CHAMPION
    assert set(model.metrics["estimators"]) >= {"plain_rule", "rfm_logistic", "boosted_trees"}
    assert Score.objects.count() == Customer.objects.count()
    told = Score.objects.filter(churn_probability__isnull=False).order_by("-churn_probability").first()
    assert told is not None
    assert told.reasons
    page = mara.get(f"/customers/{told.customer_id}/").content.decode()
    assert "Why we think so" in page
    assert "no order in" in mara.get("/predictions/").content.decode()
    customer_tasks.train_and_score()
    assert ModelVersion.objects.count() == 1, "the same data make no second version"


def _make_segment(mara: Client) -> Segment:
    rows = {
        "r:match": "all",
        "r.0:what": "churn_probability", "r.0:op": "gte", "r.0:value": "30",
        "r.1:what": "recency_days", "r.1:op": "gte", "r.1:value": "20",
        "name": "Gone quiet", "description": "",
    }  # fmt: skip
    counted = mara.post("/segments/preview/", rows).content.decode()
    assert "of " in counted
    response = mara.post("/segments/new/", rows | {"action": "save"})
    assert response.status_code == 302
    segment = Segment.objects.get()
    assert segment.rule["match"] == "all"
    return segment


def _make_campaign(mara: Client, segment: Segment) -> Campaign:
    response = mara.post(
        "/campaigns/new/",
        {
            "name": "Autumn", "goal": "Bring them back", "segment": segment.pk, "instruction": "",
            "kind": "percent", "value": "10", "code": "HIKE10", "min_basket": "50",
            "valid_until": (timezone.now() + dt.timedelta(days=21)).date().isoformat(), "url": "",
        },
    )  # fmt: skip
    assert response.status_code == 302, response.content.decode()[:3000]
    return Campaign.objects.get()


def _freeze_audience(mara: Client, campaign: Campaign) -> None:
    empty = mara.post(f"/campaigns/{campaign.pk}/audience/freeze/", {"holdout_share": "0.2"})
    assert empty.status_code == 422, "test contacts are in only where the campaign says so"
    assert AudienceMember.objects.count() == 0
    frozen = []
    for _twice in range(2):
        mara.post(f"/campaigns/{campaign.pk}/audience/freeze/", {"holdout_share": "0.2", "is_test_audience": "on"})
        arms = dict(AudienceMember.objects.values_list("customer_id", "arm"))
        assert set(arms.values()) >= {Arm.TREATMENT, Arm.HOLDOUT}
        share = sum(arm == Arm.HOLDOUT for arm in arms.values()) / len(arms)
        assert 0.08 < share < 0.35
        frozen.append(arms)
    assert frozen[0] == frozen[1], "the same seed puts the same people into the same arm"
    assert not AudienceMember.objects.exclude(arm=Arm.EXCLUDED).filter(archetype=None).exists()


def _draft_messages(mara: Client, campaign: Campaign, model: ModelServer) -> None:
    assert mara.post(f"/campaigns/{campaign.pk}/drafts/", {"instruction": "calm"}).status_code == 302
    archetypes = list(Archetype.objects.filter(campaign=campaign))
    for archetype in archetypes:
        campaign_tasks.draft_archetype(archetype.pk)
        campaign_tasks.draft_archetype(archetype.pk)
    texts = list(Variant.objects.filter(archetype__campaign=campaign))
    assert len(texts) == len(archetypes) == model.count, "one call an archetype, however many people"
    assert {text.origin for text in texts} == {Variant.Origin.MODEL}
    assert not any(text.is_blocked for text in texts), [text.findings for text in texts]
    assert LlmCall.objects.filter(outcome=LlmCall.Outcome.OK).count() == len(texts)
    seen = model.all_bytes.decode("utf-8", "replace").lower()
    for customer in Customer.objects.all()[:50]:
        assert customer.external_id.lower() not in seen
        assert customer.email.lower() not in seen
    assert "hike10" not in seen, "the offer is put in by code"
    assert "Good to see you" in mara.get(f"/campaigns/{campaign.pk}/messages/").content.decode()
    preview = mara.get(f"/variants/{texts[0].pk}/preview/")
    assert "HIKE10" in preview.content.decode()
    assert "sandbox" in preview["Content-Security-Policy"]


def _set_timing(mara: Client, campaign: Campaign) -> None:
    local = timezone.now().astimezone(dt.UTC)
    zone = django_settings.SHOP_TIME_ZONE
    assert zone == "Europe/London"
    shown = local.astimezone(zoneinfo.ZoneInfo(zone))
    response = mara.post(
        f"/campaigns/{campaign.pk}/timing/",
        {
            "send_on": shown.date().isoformat(), "send_at": shown.strftime("%H:%M"), "send_window_hours": "24",
            "attribution_days": "30",
        },
    )  # fmt: skip
    assert response.status_code == 302, response.content.decode()[:2000]


def _approve(mara: Client, ava: Client, campaign: Campaign, marketer: User) -> None:
    url = f"/campaigns/{campaign.pk}"
    assert mara.post(f"{url}/submission/").status_code == 302
    campaign.refresh_from_db()
    assert campaign.status == "in_review"
    assert mara.post(f"{url}/approval/").status_code == 403, "the author cannot approve"
    ava.post(f"{url}/approval/", {"seen": campaign.content_hash})
    campaign.refresh_from_db()
    assert campaign.status == "approved"
    assert Approval.objects.filter(campaign=campaign, voided_at=None).count() == 4

    text = Variant.objects.filter(archetype__campaign=campaign).first()
    assert text is not None
    edit = {name: getattr(text, name) for name in ("preheader", "opening", "story", "invitation", "button_label")}
    assert mara.post(f"/variants/{text.pk}/", edit | {"subject": "The paths are wet"}).status_code == 302
    campaign.refresh_from_db()
    assert campaign.status == "draft", "an edit voids the approval"
    assert not Approval.objects.filter(campaign=campaign, voided_at=None).exists()

    assert ava.post(f"{url}/schedule/").status_code in (302, 409)
    mara.post(f"{url}/submission/")
    campaign.refresh_from_db()
    ava.post(f"{url}/approval/", {"seen": campaign.content_hash})
    assert mara.post(f"{url}/schedule/").status_code == 302
    campaign.refresh_from_db()
    assert campaign.status == "scheduled"
    steps = CampaignTransition.objects.filter(campaign=campaign).order_by("number").values_list("to_status", flat=True)
    assert list(steps) == ["in_review", "approved", "draft", "in_review", "approved", "scheduled"]


def _send(campaign: Campaign, ava: Client, mail_folder: Path) -> None:
    treated = AudienceMember.objects.filter(campaign=campaign, arm=Arm.TREATMENT).count()
    for _twice in range(2):
        campaign_tasks.start_due_campaigns()
        campaign_tasks.send_sweep()
    campaign.refresh_from_db()
    assert campaign.status == "sent"
    messages = list(Message.objects.filter(campaign=campaign).select_related("variant", "customer"))
    assert len(messages) == treated
    assert {message.status for message in messages} == {MessageStatus.ACCEPTED}
    caught = list_caught(mail_folder, 10_000)
    assert len(caught) == treated, "each message once"
    assert len({message.message_id for message in messages}) == treated
    for message in messages[:20]:
        copy = render_message(load_source(message.variant), message.slots)
        assert "10% off with the code HIKE10 on orders from €50" in copy.text
        assert message.slots["unsubscribe_url"] in copy.html
    assert CustomerEvent.objects.filter(kind="email_sent").count() == treated
    assert "accepted by the mail server" in ava.get(f"/campaigns/{campaign.pk}/live/").content.decode()
    assert ava.get(f"/outbox/{messages[0].pk}/").status_code == 200
    assert "HIKE10" in ava.get(f"/outbox/{messages[0].pk}/body/").content.decode()


def _unsubscribe_one(campaign: Campaign, mail_folder: Path) -> None:
    message = Message.objects.filter(campaign=campaign).first()
    assert message is not None
    path = re.sub(r"^https?://[^/]+", "", message.slots["unsubscribe_url"])
    public = Client()
    for _look in range(3):
        assert public.get(path).status_code == 200
    assert not Suppression.objects.exists(), "looking changes nothing"
    assert public.post(path, {"List-Unsubscribe": "One-Click"}).status_code in (200, 204)
    assert public.post(path, {"List-Unsubscribe": "One-Click"}).status_code in (200, 204)
    assert Suppression.objects.count() == 1
    newest = message.customer.consents.order_by("-recorded_at", "-pk").first()
    assert newest is not None
    assert newest.status == "withdrawn"


def _measure(mara: Client, campaign: Campaign) -> None:
    campaign_tasks.measure_results()
    early = CampaignResult.objects.get(campaign=campaign)
    assert early.figures["retention"]["verdict"] == "too_early"
    assert "Too early to say" in mara.get(f"/campaigns/{campaign.pk}/result/").content.decode()

    start = campaign.sending_started_at
    assert start is not None
    members = AudienceMember.objects.filter(campaign=campaign).exclude(arm=Arm.EXCLUDED).order_by("pk")
    for arm, every in ((Arm.TREATMENT, 2), (Arm.HOLDOUT, 10)):
        Order.objects.bulk_create(
            Order(
                external_id=f"after-{member.pk}", customer_id=member.customer_id, currency="EUR", total=80,
                ordered_at=start + dt.timedelta(days=10),
            )
            for number, member in enumerate(members.filter(arm=arm)) if number % every == 0
        )  # fmt: skip
    result = store_result(campaign, now=start + dt.timedelta(days=31))
    store_result(campaign, now=start + dt.timedelta(days=31))
    assert result is not None
    assert CampaignResult.objects.filter(campaign=campaign).count() == 2
    lift = result.figures["retention"]
    assert lift["verdict"] == "positive"
    assert lift["low"] < lift["points"] < lift["high"]
    assert lift["points"] == pytest.approx(100 * (lift["treated_rate"] - lift["holdout_rate"]))
    page = mara.get(f"/campaigns/{campaign.pk}/result/").content.decode()
    assert f"{round(lift['kept'])} customers stayed who would have left" in page
    assert json.dumps(result.figures)
