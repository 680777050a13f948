"""What drafting for an audience of 1,000 and of 100,000 costs in calls and tokens, beside one call for each person.

The real path: customers of the simulator, an audience frozen from a segment, its archetypes, drafts asked for and written
through the door by a server that speaks the model protocol, tokens read from the ledger. What one call for each person
would cost is the tokens of one such call, with that person's facts in place of the archetype's, times the people. The
server counts a token for every four bytes, as tokenizers do for English, and fills every slot to its end.
"""

from __future__ import annotations

import datetime as dt
import json
import math
import os
import re
from collections.abc import Mapping
from typing import Any

from benchmarks.frame import Arguments, measure, parse_arguments, print_result, print_table, set_up_django
from tests.model_server import MODEL_NAME, ModelServer, Step, answer, find_schema

SIZES = (1_000, 100_000)
TEXTS_EACH = 2
YEARS = 1
WORDS_EN = "The paths are muddy again and the wind is back, so we thought of you and of the evenings by the fire. " * 9
WORDS_ZH = "山里的路又湿了，风也回来了，我们想起了您，想起了炉火旁的那些夜晚。" * 20
BYTES_PER_TOKEN = 4


def main() -> None:
    arguments = parse_arguments(__doc__ or "")
    with ModelServer() as server:
        server.answer_with(write_a_draft)
        os.environ |= {"LLM_BASE_URL": server.base_url, "LLM_MODEL": MODEL_NAME, "LLM_API_KEY": "key-of-the-benchmark"}
        set_up_django()
        figures = measure_both(arguments, server)
    print_table("Drafting", figures)
    print_result(arguments, size=SIZES[-1], **figures)


def write_a_draft(request: Mapping[str, Any]) -> Step:
    """A text as long as its slots allow, in the language of the prompt, with the tokens that request and answer would be."""
    asked = _texts_of(request)
    words = WORDS_ZH if re.search("[\u4e00-\u9fff]{9}", str(request["messages"][0]["content"])) else WORDS_EN
    data = {name: _fill_slot(slot, words) for name, slot in find_schema(request)["properties"].items()}
    told = json.dumps(data, ensure_ascii=False)
    used = [math.ceil(len(text.encode()) / BYTES_PER_TOKEN) for text in (asked, told)]
    return answer(data, usage={"prompt_tokens": used[0], "completion_tokens": used[1], "total_tokens": sum(used)})


def _fill_slot(slot: Mapping[str, Any], words: str) -> Any:
    if slot["type"] == "array":
        return [_fill_slot(slot["items"], words)] * int(slot.get("maxItems", 1))
    longest = int(re.findall(r",(\d+)\}\$$", slot["pattern"])[0])
    return words[:longest].strip()


def measure_both(arguments: Arguments, server: ModelServer) -> dict[str, Any]:
    """The same shop, and from it the people likeliest to leave: a thousand, and all."""
    from django.utils import timezone

    now = timezone.now()
    figures: dict[str, Any] = {}
    with measure() as filling:
        people = fill_shop(SIZES[-1], seed=arguments.seed, now=now)
    for size in SIZES:
        with measure() as took:
            found = draft_for(size, people, now)
        figures |= {f"{name}_{size}": value for name, value in found.items()} | {f"seconds_{size}": took.seconds}
    least, most = SIZES
    figures["per_person_tokens"] = ask_for_one_person(people, now)
    figures["per_person_total"] = figures["per_person_tokens"] * figures[f"people_{most}"]
    figures["vs_per_person"] = round(figures[f"tokens_{most}"] / figures["per_person_total"], 6)
    figures["per_person_vs_ours"] = round(figures["per_person_total"] / figures[f"tokens_{most}"])
    figures["calls_vs_per_person"] = round(figures[f"calls_{most}"] / figures[f"people_{most}"], 6)
    figures["growth"] = round(figures[f"tokens_{most}"] / figures[f"tokens_{least}"], 3)
    figures["calls"] = {str(size): figures[f"calls_{size}"] for size in SIZES}
    figures["tokens"] = {str(size): figures[f"tokens_{size}"] for size in SIZES}
    assert server.count == figures[f"calls_{least}"] + figures[f"calls_{most}"] + 1, "the ledger knows every call"
    return figures | {"filling_seconds": filling.seconds}


def fill_shop(size: int, *, seed: int, now: dt.datetime) -> int:
    """Customers and orders of the simulator, a consent for each, and a score with interest and reason; how many."""
    from django.db import connection

    from benchmarks._shop import SOURCE as OF_SIMULATOR
    from benchmarks._shop import copy_orders, copy_people, write_products
    from customers.features.catalogue import THEMES
    from customers.models import ModelVersion
    from customers.scoring.ahead import run_ahead
    from retention_site.demo.simulator import LEAN, iter_shop

    written = orders = 0
    model = ModelVersion.objects.create(
        version=1, estimator="bench", horizon_days=60, trained_at=now, data_from=now, data_until=now, artifact=b""
    )
    with connection.cursor() as cursor:
        for part in run_ahead(iter_shop(customers=size, seed=seed, today=now, years=YEARS, settings=LEAN)):
            if not written:
                write_products(part.products)
            copy_people(cursor, part)
            orders += copy_orders(cursor, part, orders_before=orders)
            written += part.customers.height
        cursor.execute("SELECT setval(pg_get_serial_sequence('customers_customer', 'id'), %s)", [written])
        cursor.execute("SELECT setseed(%s)", [(seed % 1_000) / 1_000])
        for statement in (_CONSENTS, _SCORES):
            cursor.execute(
                statement,
                {"now": now, "model": model.pk, "themes": list(THEMES), "source": OF_SIMULATOR},
            )
        cursor.execute("ANALYZE")
    return written


def draft_for(size: int, people: int, now: dt.datetime) -> dict[str, int]:
    """A campaign on the `size` people likeliest to leave, with two texts for each kind; what the ledger says of it."""
    from campaigns.approval.workflow import refreeze_audience
    from campaigns.audience.holdout import draw_seed
    from campaigns.content.drafting import archetypes_waiting, request_drafts
    from campaigns.models import Archetype, Campaign, DraftStatus, Offer, Variant
    from campaigns.tasks import draft_archetype
    from customers.models import Score, Segment
    from tests.campaigns import arrange

    marketer = arrange.make_cast().marketer
    least = Score.objects.order_by("-churn_probability").values_list("churn_probability", flat=True)[
        min(size, people) - 1
    ]
    rule = {"field": "churn_probability", "op": "gte", "value": least}
    segment = Segment.objects.create(name=f"The {size} likeliest to leave", rule=rule)
    campaign = Campaign.objects.create(name=segment.name, segment=segment, author=marketer, holdout_seed=draw_seed())
    Offer.objects.create(campaign=campaign, kind=Offer.Kind.PERCENT, value=10, code="BACK10")
    refreeze_audience(marketer, campaign, now=now)
    request_drafts(campaign, user=marketer, count=TEXTS_EACH, now=now)
    for archetype in archetypes_waiting(now):
        draft_archetype(archetype)
    archetypes = Archetype.objects.filter(campaign=campaign)
    assert set(archetypes.values_list("draft_status", flat=True)) == {DraftStatus.DRAFTED}, "every draft came"
    return {
        "people": sum(archetypes.values_list("size", flat=True)),
        "archetypes": archetypes.count(),
        "texts": Variant.objects.filter(archetype__campaign=campaign, origin=Variant.Origin.MODEL).count(),
        **_read_ledger(f"campaign:{campaign.pk}"),
    }


def ask_for_one_person(people: int, now: dt.datetime) -> int:
    """The tokens of one call that writes to one person: the same prompt, with what is known of that person."""
    from campaigns.content.facts import build_facts
    from campaigns.content.prompts import DraftTask, build_draft
    from campaigns.models import Archetype
    from customers.models import Customer
    from llm.client import complete

    archetype = Archetype.objects.select_related("campaign").filter(language="en").latest("size")
    person = Customer.objects.select_related("score").get(pk=people // 2)
    known = [person.email, person.first_name, person.last_name, person.external_id]
    card = {
        "name": person.first_name,
        "reason": person.score.main_reason,
        "likes": person.score.interest,
        "orders": person.orders.count(),
        "last_order": str(person.orders.latest("ordered_at").ordered_at.date()) if person.orders.exists() else "",
        "expected_value": str(person.score.expected_value),
    }
    task = DraftTask(
        channel="email", language="en", is_capable=False, facts=build_facts(archetype, now=now), card=card, brief={}
    )
    prompt, variables = build_draft(task)
    complete(
        prompt,
        variables,
        purpose="draft_message",
        now=now,
        scope="one-person",
        known_personal_values=[*filter(None, known)],
    )
    return _read_ledger("one-person")["tokens"]


def _read_ledger(scope: str) -> dict[str, int]:
    from django.db.models import F, Sum

    from llm.models import LlmCall

    calls = LlmCall.objects.filter(scope=scope, outcome=LlmCall.Outcome.OK, was_reused=False)
    return {"calls": calls.count(), "tokens": calls.aggregate(n=Sum(F("prompt_tokens") + F("completion_tokens")))["n"]}


def _texts_of(request: Mapping[str, Any]) -> str:
    schema = json.dumps(request.get("response_format", ""), ensure_ascii=False)
    return "\n".join([*(str(message["content"]) for message in request["messages"]), schema])


_CONSENTS = """
INSERT INTO customers_consentrecord (customer_id, channel, status, legal_basis, source, proof, is_test, recorded_at)
SELECT id, 'email', 'given', 'consent', 'checkout', '{}', false, %(now)s FROM customers_customer WHERE source = %(source)s
"""
#: As training would leave them: what a person likes is a category of the catalogue, why they leave one of the themes.
_SCORES = """
INSERT INTO customers_score (customer_id, model_id, as_of, churn_probability, expected_value, interest, main_reason, reasons)
SELECT c.id, %(model)s, %(now)s, random(), round((200 * random())::numeric, 2), k.names[1 + (power(random(), 2)
       * cardinality(k.names))::int %% cardinality(k.names)], t.names[1 + (power(random(), 2)
       * cardinality(t.names))::int %% cardinality(t.names)], '[{}]'
FROM customers_customer c,
     (SELECT array_agg(DISTINCT category) AS names FROM customers_product WHERE category <> '' AND NOT is_charge) AS k,
     (SELECT %(themes)s::text[] AS names) AS t
WHERE c.source = %(source)s
"""

if __name__ == "__main__":
    main()
