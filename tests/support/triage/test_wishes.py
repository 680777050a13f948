"""What a writer wants done, beside what it is about: read by rules and by what people taught, shown, corrected, told of."""

from __future__ import annotations

import datetime as dt
import json
import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from rest_framework.test import APIClient

from benchmarks.bitext import OURS, call_ours
from customers.models import Customer, CustomerEvent, tell_asked
from customers.segments.preview import matches
from customers.segments.rules import parse_rule
from support.inbox.tying import tie_ticket
from support.inbox.working import close_ticket
from support.models import Direction, Intent, Ticket, TicketMessage, TiedBy, Topic, TriageCorrection, TriageModel
from support.triage.correcting import correct_triage
from support.triage.deciding import VALUES, triage_ticket
from support.triage.joining import join_opinions
from support.triage.prompt import TRIAGE
from support.triage.rules import Verdict, read_message
from support.triage.training import count_new_words, retrain_due
from tests.support.conftest import Ask
from tests.support.golden_set import WISHES

SAID = """
delivery|ask|Do you deliver on Saturdays?
delivery|track|My order has not moved for a week, where is it?
delivery|track|Could you please finally tell me when the parcel comes?
delivery|change|I gave you the wrong address, can you send it to my office?
order|cancel|I ordered twice by mistake. Please cancel the second order.
order|ask|What is your cancellation fee?
order|change|Can I still add a pair of socks to my order?
return|return|The shoes are too small, I want to send them back.
return|ask|How many days do I have to send something back?
refund|refund|Please refund the postage, the parcel came a week late.
refund|track|I sent the jacket back two weeks ago and still have no refund. Where is my money?
payment|document|Can you send me an invoice for order 1042?
payment|fix|My card was declined although the bank says it is fine.
product|ask|How do I wash my waterproof jacket?
warranty|fix|The stove stopped working after two weeks. Can you send a replacement?
account|fix|I forgot my password, what can I do?
account|cancel|I would like you to delete my account.
account|change|I want to change the e-mail address of my account.
account|start|I want to open an account.
newsletter|cancel|Stop sending me your newsletter!
newsletter|start|How can I subscribe to your newsletter?
other|person|Can I talk to a real person please?
other|complain|I wish to file a complaint about your staff.
other|feedback|Thank you, you have been wonderful!
other|other|Hm.
delivery|ask|请问发货一般要几天？
delivery|track|快递到哪里了？
delivery|change|地址写错了，请帮我改一下收货地址。
order|cancel|我想取消订单。
order|start|请问怎么下单？
order|track|我的订单现在什么状态？
return|return|我想换货，换一双大一点的。
return|ask|请问多少天内可以退货？
refund|refund|东西没收到，请退款给我。
refund|track|退款什么时候到账？
payment|document|可以开发票吗？
payment|fix|付款失败了，怎么办？
product|ask|黑色的还有货吗？
warranty|fix|帐篷杆断了，可以维修吗？
account|fix|忘记密码了怎么办？
account|cancel|我要注销账号。
account|change|我想修改账户里的手机号。
newsletter|cancel|请帮我退订邮件。
newsletter|start|怎么订阅你们的邮件？
other|person|我要人工客服。
other|complain|我要投诉你们的客服！
other|feedback|谢谢，你们的服务很好。
"""


@pytest.mark.parametrize("line", SAID.strip().splitlines())
def test_rules_say_what_it_is_about_and_what_is_wanted(line: str) -> None:
    topic, intent, text = line.split("|", 2)
    verdicts = read_message(text).verdicts
    assert (verdicts["topic"].value, verdicts["intent"].value) == (topic, intent)
    assert bool(verdicts["intent"].reasons) == (intent != "other"), "the words that say so"


@pytest.mark.parametrize(
    ("language", "least"), [("en", {"topic": 32, "intent": 36}), ("zh", {"topic": 29, "intent": 34})]
)
def test_messages_from_before_the_words_are_mostly_read_right(language: str, least: dict[str, int]) -> None:
    told = [json.loads(line) for line in WISHES.read_text(encoding="utf-8").splitlines()]
    mine = [one for one in told if one["lang"] == language]
    assert len(mine) == 40 and {one["intent"] for one in mine} == set(Intent.values) - {"other"}
    for field, count in least.items():
        assert sum(read_message(one["text"]).verdicts[field].value == one[field] for one in mine) >= count, field


def test_a_mere_question_is_never_quite_sure_and_two_wishes_share() -> None:
    assert read_message("And the blue one?").verdicts["intent"] == Verdict("ask", pytest.approx(0.55), ("?",))
    both = read_message("Cancel the order, or change the address.").verdicts["intent"]
    assert both.sureness < 0.6 < read_message("Please cancel the order.").verdicts["intent"].sureness


def test_who_complains_and_asks_for_nothing_wants_to_complain() -> None:
    verdicts = read_message("This is awful, I am so disappointed").verdicts
    assert (verdicts["complaint"].value, verdicts["intent"].value) == ("yes", "complain")


def test_each_request_of_bitext_has_one_topic_and_one_intent() -> None:
    assert len(OURS) == 27
    assert {pair[0] for pair in OURS.values()} <= set(Topic.values)
    assert {pair[1] for pair in OURS.values()} == set(Intent.values) - {"return", "other"}
    assert call_ours("sign up to the newsletter", "newsletter_subscription") == ("newsletter", "start")
    assert call_ours("cancel my newsletter", "newsletter_subscription") == ("newsletter", "cancel")


def test_the_model_is_asked_for_each_field_in_its_words() -> None:
    asked = TRIAGE.schema["properties"]
    assert list(asked) == list(VALUES) == ["topic", "intent", "complaint", "sentiment", "urgency"]
    for field in ("topic", "intent"):
        assert tuple(asked[field]["properties"]["value"]["enum"]) == VALUES[field]
        assert all(value in TRIAGE.system for value in VALUES[field])


@pytest.mark.parametrize(
    ("rules", "learned", "model", "value", "doubt"),
    [
        (("track", 0.9), None, None, "track", False),
        (("other", 0.3), None, None, "other", True),
        (("track", 0.9), None, ("ask", 0.9), "ask", True),
        (("ask", 0.55), None, ("cancel", 0.9), "cancel", False),
        (("track", 0.9), None, ("ask", 0.3), "track", False),
        (("track", 0.9), None, ("other", 0.9), "track", False),
        (("other", 0.3), None, ("other", 0.9), "other", False),
        (("ask", 0.9), ("track", 0.9), None, "track", True),
        (("ask", 0.9), ("track", 0.9), ("track", 0.9), "track", True),
    ],
)
def test_what_comes_of_opinions_about_the_wish(
    rules: tuple[str, float],
    learned: tuple[str, float] | None,
    model: tuple[str, float] | None,
    value: str,
    doubt: bool,
) -> None:
    read = {"value": model[0], "sureness": model[1], "quote": "x"} if model else None
    joined = join_opinions("intent", Verdict(*rules), Verdict(*learned) if learned else None, read)
    assert (joined.verdict.value, joined.is_in_doubt) == (value, doubt)


@pytest.mark.parametrize(
    ("properties", "told"),
    [
        ({"topic": "delivery", "intent": "track"}, "delivery · asks how it stands"),
        ({"topic": "other", "intent": "person"}, "wants a person"),
        ({"topic": "order", "intent": "other"}, "an order"),
        ({"topic": "other", "intent": "other"}, "something else"),
        ({"topic": "delivery"}, "delivery"),
        ({"topic": "wrong_item", "intent": "track"}, ""),
        ({}, ""),
    ],
)
def test_both_are_told_in_one_phrase(properties: dict[str, str], told: str) -> None:
    assert tell_asked(properties) == told


def ask_segment(person: Customer, name: str, value: str, at: dt.datetime) -> bool:
    where = [{"property": name, "type": "text", "op": "is", "value": value}]
    rule = {"did": "asked_support", "op": "gte", "times": 1, "within_days": 30, "where": where}
    return matches(parse_rule(rule), person, as_of=at)


@pytest.mark.django_db
def test_the_event_log_and_segments_know_what_was_asked(
    ask: Ask, kim: Customer, support_agent: User, marketer: User, client: Client, now: dt.datetime
) -> None:
    ticket = ask("Where is my parcel? The tracking shows nothing.")
    later = now + dt.timedelta(hours=1)
    assert ask_segment(kim, "topic", "delivery", later) and ask_segment(kim, "intent", "track", later)
    assert not ask_segment(kim, "intent", "cancel", later)
    correct_triage(support_agent, ticket, "intent", "change", now=now)
    ticket.refresh_from_db()
    close_ticket(support_agent, ticket, now=later)
    kinds = dict(CustomerEvent.objects.filter(customer=kim).values_list("kind", "properties"))
    assert (kinds["ticket_opened"]["intent"], kinds["ticket_closed"]["intent"]) == ("track", "change")
    client.force_login(marketer)
    page = client.get(f"/customers/{kim.pk}/").content.decode()
    assert "delivery · asks how it stands" in page and "delivery · wants it changed" in page


@pytest.mark.django_db
def test_who_becomes_known_later_is_told_of_once_with_what_it_is(ask: Ask, kim: Customer, now: dt.datetime) -> None:
    ticket = ask("Please cancel my order.", customer=None, email="somebody@else.test")
    assert not CustomerEvent.objects.exists()
    assert tie_ticket(ticket, kim, by=TiedBy.PERSON, now=now)
    assert CustomerEvent.objects.get().properties["intent"] == "cancel"


@pytest.mark.django_db
def test_a_person_corrects_it_and_it_outlives_the_next_triage(
    ask: Ask, support_agent: User, client: Client, now: dt.datetime
) -> None:
    ticket = ask("Where is my parcel? The tracking shows nothing.")
    client.force_login(support_agent)
    page = client.get(f"/support/tickets/{ticket.pk}/").content.decode()
    assert "What they want" in page and ">sure: where is my, tracking</small>" in page
    client.post(f"/support/tickets/{ticket.pk}/corrections/", {"field": "intent", "value": "refund"})
    triage_ticket(ticket, now=now)
    ticket.refresh_from_db()
    assert (ticket.topic, ticket.intent, ticket.triage["intent"]["by"]) == ("delivery", "refund", "person")
    kept = TriageCorrection.objects.get()
    assert (kept.field, kept.was, kept.becomes) == ("intent", "track", "refund")
    assert "wants money back" in client.get("/answer-quality/").content.decode()
    client.post(f"/support/tickets/{ticket.pk}/corrections/", {"field": "intent", "value": "delivery"})
    ticket.refresh_from_db()
    assert ticket.intent == "refund", "a topic is no intent"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("language", "kinds"),
    [
        ("en", {"cancel": "the jacket is lovely number", "document": "the kettle hums at night number"}),
        ("zh", {"cancel": "这件外套真好看编号", "document": "水壶夜里嗡嗡作响编号"}),
    ],
)
def test_corrections_of_the_wish_train_a_classifier_for_each_language(
    ask: Ask, support_agent: User, now: dt.datetime, language: str, kinds: dict[str, str]
) -> None:
    for number in range(60):
        label = list(kinds)[number % 2]
        ticket = Ticket.objects.create(
            channel="api", external_id=f"{label}{number}", language=language, opened_at=now, last_message_at=now,
            first_answer_at=now, triaged_at=now,
        )  # fmt: skip
        sign = chr(97 + number % 26) + chr(97 + number // 26)
        text = f"{kinds[label]} {sign}"
        TicketMessage.objects.create(ticket=ticket, direction=Direction.IN, text=text, written_at=now)
        said: dict[str, Any] = {"was": "other", "becomes": label, "corrected_by": support_agent, "corrected_at": now}
        TriageCorrection.objects.create(ticket=ticket, field="intent", **said)
    (made,) = retrain_due(now=now + dt.timedelta(hours=1))
    assert (made.field, made.language, made.is_used) == ("intent", language, True)
    assert count_new_words("intent", language) == 0 and not TriageModel.objects.filter(field="topic").exists()
    ticket = ask(f"{kinds['document']} zz", thread="new")
    told = ticket.triage["intent"]
    assert ticket.intent == "document" and [one["by"] for one in told["opinions"]] == ["rules", "classifier"]
    assert told["reasons"] and [one["by"] for one in ticket.triage["topic"]["opinions"]] == ["rules"]


@pytest.mark.django_db
def test_the_queue_is_narrowed_by_topic_and_by_intent(ask: Ask, support_agent: User, client: Client) -> None:
    where = ask("Where is my parcel?", thread="a")
    cost = ask("How much is delivery to Norway?", thread="b")
    stop = ask("Please cancel my order 12.", thread="c")
    client.force_login(support_agent)
    for query, shown in (
        ("topic=delivery", {where, cost}),
        ("intent=track", {where}),
        ("topic=delivery&intent=ask", {cost}),
        ("intent=cancel&show=open", {stop}),
        ("topic=nonsense", {where, cost, stop}),
        ("topic=account", set()),
    ):
        answer = client.get(f"/support/?{query}")
        assert {row["ticket"] for row in answer.context["rows"]} == shown, query
        assert {name: n for name, _label, n in answer.context["views"]}["open"] == len(shown), query
        assert not answer.context["is_new"], "a shop with tickets is no new one, however it is narrowed"
        assert "All is answered" not in answer.content.decode(), "others wait"
    page = client.get("/support/?intent=track&show=nobodys").content.decode()
    assert "asks how it stands</small>" in page
    links = re.findall(r'href="\?([^"]*show=late[^"]*)"', page)
    assert [set(link.split("&amp;")) for link in links] == [{"intent=track", "show=late"}], (
        "a view keeps what narrows it"
    )


@pytest.mark.django_db
def test_the_api_tells_both_and_filters_by_both(ask: Ask, make_user: Any) -> None:
    ask("Where is my parcel?", thread="a")
    ask("Please cancel my order 12.", thread="b")
    api = APIClient()
    api.force_authenticate(make_user("shop", "integration"))
    told = api.get("/api/v1/tickets/?topic=delivery").json()["results"]
    assert [(one["topic"], one["intent"]) for one in told] == [("delivery", "track")]
    assert [one["topic"] for one in api.get("/api/v1/tickets/?intent=cancel").json()["results"]] == ["order"]
    assert api.get("/api/v1/tickets/?intent=delivery").status_code == 400, "the topics of before are no intents"
