"""What a provider tells us, 1 to 46 copies of each event, shuffled, posted by several at once: counted once, never backwards."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import json
import random
import threading
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from .history import count_steps_back
from .stage import Stage, nudge, start_a_campaign

MOST_COPIES = 46
HANDS = 4
SECRET = "whsec_" + base64.b64encode(b"a secret of thirty-two bytes, so").decode()
KINDS = ("email.sent", "email.delivery_delayed", "email.delivered", "email.bounced", "email.complained")
#: How far each proves that a message came, and the state that says so.
PROVES = {"email.delivered": (1, "delivered"), "email.bounced": (2, "bounced"), "email.complained": (3, "complained")}
RANK = {"accepted": 0, "delivered": 1, "bounced": 2, "complained": 3}


@dataclass(frozen=True)
class Told:
    """One event of the provider: `event_id` is the same in every copy."""

    event_id: str
    message_id: int
    name: str
    address: str
    kind: str


def measure_events(stage: Stage, size: int) -> dict[str, object]:
    """Send `size` messages, then have the provider tell of each, many times over."""
    from django.test.utils import override_settings

    from campaigns.models import DeliveryEvent

    dice = random.Random(stage.seed + 4)
    sending = start_a_campaign(stage, "told", size)
    stage.start_worker()
    nudge()
    verdict = sending.judge(sending.wait_for_the_end())
    stage.stop_worker()
    unique = list(tell(dice, sending.campaign_id))
    copies = [event for event in unique for _copy in range(dice.randint(1, MOST_COPIES))]
    dice.shuffle(copies)
    with override_settings(EMAIL_PROVIDER="resend", EMAIL_WEBHOOK_SECRET=SECRET):
        refused, steps_back = post_all(copies, sending.campaign_id)
    expected = expect_states(unique)
    states = {pk: status for pk, status in read_states(sending.campaign_id).items() if pk in expected}
    wrong = sum(states[pk] != status for pk, status in expected.items())
    kept = Counter(DeliveryEvent.objects.filter(provider="resend").values_list("provider_event_id", flat=True))
    kept_wrongly = sum((kept - Counter(event.event_id for event in unique)).values())
    missing = len({event.event_id for event in unique} - set(kept))
    suppressed = count_suppressed(unique)
    return {
        "size": size,
        "events": len(unique),
        "copies": len(copies),
        "refused": refused,
        "counted_twice": kept_wrongly,
        "missing": missing,
        "wrong_states": wrong,
        "steps_back": steps_back,
        "suppressed_too_many_or_few": suppressed,
        "doubled": len(verdict.doubled),
        "lost": len(verdict.lost) + len(verdict.unsaid) + len(verdict.strangers),
        "is_right": verdict.is_clean
        and not any((refused, kept_wrongly, missing, wrong, steps_back, suppressed))
        and len(expected) > 0,
    }


def tell(dice: random.Random, campaign_id: int) -> Iterator[Told]:
    """One to four different events for each message."""
    from campaigns.delivery.names import derive_name
    from campaigns.models import Message

    for row in Message.objects.filter(campaign=campaign_id).select_related("customer").order_by("pk"):
        name = derive_name(row.campaign_id, row.step, row.customer_id)
        for number, kind in enumerate(dice.sample(KINDS, dice.randint(1, 4))):
            yield Told(f"msg_{row.pk}_{number}", row.pk, name, row.customer.email, kind)


def expect_states(unique: Sequence[Told]) -> dict[int, str]:
    """What all events of a message together prove. Written anew here, not asked of what is judged."""
    furthest: dict[int, tuple[int, str]] = defaultdict(lambda: (0, "accepted"))
    for event in unique:
        furthest[event.message_id] = max(furthest[event.message_id], PROVES.get(event.kind, (0, "accepted")))
    return {message_id: state for message_id, (_far, state) in furthest.items()}


def read_states(campaign_id: int) -> dict[int, str]:
    from campaigns.models import Message

    return dict(Message.objects.filter(campaign=campaign_id).values_list("pk", "status"))


def count_suppressed(unique: Sequence[Told]) -> int:
    """How many addresses are suppressed that should not be, or the other way round."""
    from customers.ingest.consent import hash_address
    from customers.models import Suppression

    everybody = {hash_address(event.address) for event in unique}
    bad = {hash_address(event.address) for event in unique if event.kind in {"email.bounced", "email.complained"}}
    found = set(Suppression.objects.filter(address_hash__in=everybody).values_list("address_hash", flat=True))
    return len(found ^ bad)


def post_all(copies: Sequence[Told], campaign_id: int) -> tuple[int, int]:
    """Posts that were not taken, and how often a row was seen to go backwards meanwhile."""
    from django.db import connection

    seen: dict[int, list[str]] = defaultdict(list)
    done = threading.Event()

    def watch() -> None:
        while not done.is_set():
            for pk, status in read_states(campaign_id).items():
                if not seen[pk] or seen[pk][-1] != status:
                    seen[pk].append(status)
            done.wait(0.05)
        connection.close()

    def post_share(share: Sequence[Told]) -> int:
        # `done` ends the posts too, where whoever started the run wants it to end.
        refused = sum(post_event(event) != 200 for event in share if not done.is_set())
        connection.close()
        return refused

    with ThreadPoolExecutor(HANDS + 1) as pool:
        watcher = pool.submit(watch)
        try:
            refused = sum(pool.map(post_share, [copies[first::HANDS] for first in range(HANDS)]))
        finally:
            done.set()
        watcher.result()
    return refused, sum(count_steps_back(states, RANK) for states in seen.values())


def post_event(event: Told) -> int:
    """As Resend posts it, signed; the status of the answer."""
    from django.test import Client

    from campaigns.delivery.webhooks import WEBHOOK_PATH

    headers = [{"name": "X-Metadata", "value": json.dumps({"rekindle": event.name})}]
    data = {"email_id": event.event_id, "to": [event.address], "headers": headers}
    if event.kind == "email.bounced":
        data["bounce"] = {"type": "Permanent", "subType": "General", "message": "There is no such mailbox"}
    at = "2026-11-28T12:00:00.000Z"  # every copy is the same to the byte
    body = json.dumps({"type": event.kind, "created_at": at, "data": data}).encode()
    stamp = str(int(dt.datetime.now(dt.UTC).timestamp()))
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    digest = hmac.digest(key, f"{event.event_id}.{stamp}.".encode() + body, hashlib.sha256)
    signed = {
        "svix-id": event.event_id,
        "svix-timestamp": stamp,
        "svix-signature": f"v1,{base64.b64encode(digest).decode()}",
    }
    browser = Client(SERVER_NAME="localhost", headers=signed)
    return browser.post(WEBHOOK_PATH, body, content_type="application/json").status_code
