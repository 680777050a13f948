"""What no article answers: put together by what it means, named by what was asked, and gone once an article says it."""

from __future__ import annotations

import datetime as dt

import pytest
from django.contrib.auth.models import User
from django.test import Client

from support.answers.article_drafts import name_article
from support.answers.evidence import weigh_evidence, weigh_question
from support.answers.gaps import Gap, find_gaps
from support.answers.knowledge import load_base, publish_article, save_article
from support.answers.pending import look_again
from support.answers.suggesting import suggest_answer
from support.answers.typical import find_question, find_typical
from support.inbox.working import close_ticket
from support.models import Answer, Article, Ticket
from tests.support.conftest import Ask

pytestmark = pytest.mark.django_db
PARKING = {"title_en": "Parking", "text_en": "Parking behind the shop is free for customers."}


@pytest.fixture
def gaps_of(ask: Ask, articles: None, now: dt.datetime) -> list[Ticket]:
    """Three ask about kayaks, in both languages, one about a window, one says nothing."""
    asked = (
        "Hello there! Do you rent out kayaks?",
        "I come with four friends. Can we rent a kayak for a weekend? We are beginners.",
        "请问可以租皮划艇吗？",
        "Do you rent out kayaks, and until when?",
        "Can I get a window seat?",
    )
    tickets = [ask(text, thread=str(number)) for number, text in enumerate(asked)]
    for ticket in tickets:
        suggest_answer(ticket, now=now)
    return tickets


def test_weak_words_name_no_gap(gaps_of: list[Ticket]) -> None:
    gaps = find_gaps()
    assert gaps[0].word == "rent out" and len(gaps[0].asked) == 4, "in both languages"
    assert not {"get", "long", "until", "weekend"} & {gap.word for gap in gaps}
    assert sum(len(gap.asked) for gap in gaps) == 5


def test_a_gap_is_named_by_its_most_typical_question(gaps_of: list[Ticket]) -> None:
    gap = find_gaps()[0]
    assert gap.question == "Do you rent out kayaks?"
    titles = [name_article(gap, in_chinese=in_chinese) for in_chinese in (False, True)]
    assert titles == ["Do you rent out kayaks?", "请问可以租皮划艇吗？"]


def test_without_any_article_a_gap_has_its_name(ask: Ask, now: dt.datetime) -> None:
    suggest_answer(ask("Do you rent out kayaks?"), now=now)
    assert [gap.word for gap in find_gaps()] == ["rent out"]


def test_a_word_is_named_as_it_was_written(ask: Ask, articles: None, now: dt.datetime) -> None:
    suggest_answer(ask("Do you deliver to Norway?"), now=now)
    assert [gap.word for gap in find_gaps()] == ["Norway"]


def test_words_that_weigh_most_come_first(articles: None) -> None:
    question, base = "How long until I get my kayak?", load_base()
    lacking = weigh_evidence(question, weigh_question(question, base), base.rank(question)[0], base).lacking
    assert lacking == ("kayak",)


@pytest.mark.parametrize(
    ("text", "word", "asks"),
    [
        ("Hello. I bought a tent. Can it be mended?", "", "Can it be mended?"),
        ("Is it big? Does the tent float?", "tent", "Does the tent float?"),
        ("The tent is torn.", "", "The tent is torn."),
        ("My kayak leaks. How long have I got?", "", "My kayak leaks. How long have I got?"),
        ("你好。帐篷可以修吗？谢谢。", "", "帐篷可以修吗？"),
        ("", "", ""),
    ],
)
def test_of_a_message_the_sentence_counts_that_asks(text: str, word: str, asks: str) -> None:
    assert find_question(text, word) == asks


def test_a_very_long_question_is_cut_between_words() -> None:
    question = find_typical(["Would " + "kayak " * 100 + "float?"])
    assert len(question) <= 141 and question.endswith("kayak…")


def test_the_title_of_an_article_says_nothing_of_who_asked(ask: Ask, articles: None, now: dt.datetime) -> None:
    suggest_answer(ask("Can Kim Lee rent a kayak?"), now=now)
    gap = find_gaps()[0]
    assert gap.question == "Can Kim Lee rent a kayak?"
    assert name_article(gap, in_chinese=False) == gap.word.capitalize()
    assert name_article(gap, in_chinese=True) == ""


def test_the_page_leads_to_an_article_that_begins_with_the_question(
    gaps_of: list[Ticket], client: Client, support_agent: User
) -> None:
    client.force_login(support_agent)
    page = client.get("/articles/gaps/").content.decode()
    assert "<h2>Do you rent out kayaks?</h2>" in page
    gap = find_gaps()[0]
    form = client.get("/articles/new/", {"gap": gap.word})
    assert 'value="Do you rent out kayaks?"' in form.content.decode() and "four friends" in form.content.decode()


def test_whoever_may_not_read_tickets_sees_words_alone(gaps_of: list[Ticket], client: Client, analyst: User) -> None:
    client.force_login(analyst)
    page = client.get("/articles/gaps/").content.decode()
    assert "Do you rent" not in page and "beginners" not in page and "“rent out”" in page
    assert "beginners" not in client.get("/articles/new/", {"gap": find_gaps()[0].word}).content.decode()


def test_the_first_article_answers_what_waited_for_it(ask: Ask, support_agent: User, now: dt.datetime) -> None:
    ticket = ask("Is parking free?")
    answer = suggest_answer(ticket, now=now)
    assert answer is not None and answer.status == "refused"
    assert look_again(now=now) == 0
    save_article(support_agent, PARKING, now=now)
    assert look_again(now=now) == 1
    answer.refresh_from_db()
    assert (answer.status, answer.text) == ("suggested", PARKING["text_en"])
    assert find_gaps() == [] and look_again(now=now) == 0


def test_a_gap_closes_when_its_article_is_written_though_people_have_answered(
    ask: Ask, support_agent: User, now: dt.datetime
) -> None:
    for number, text in enumerate(("Is parking free?", "Do you rent out kayaks?")):
        ticket = ask(text, thread=str(number))
        suggest_answer(ticket, now=now)
        close_ticket(support_agent, ticket, now=now)
    save_article(support_agent, PARKING, now=now)
    look_again(now=now)
    assert [gap.asked[0].message.text for gap in find_gaps()] == ["Do you rent out kayaks?"]
    assert Answer.objects.filter(status="refused").count() == 2, "it was refused all the same"


def test_a_question_that_stands_in_the_subject_is_looked_up_again_with_it(
    ask: Ask, support_agent: User, now: dt.datetime
) -> None:
    ticket = ask("Thanks in advance!", subject="Is parking free?")
    suggest_answer(ticket, now=now)
    close_ticket(support_agent, ticket, now=now)
    assert find_gaps()
    save_article(support_agent, PARKING, now=now)
    look_again(now=now)
    assert find_gaps() == []


def test_a_suggestion_that_quotes_a_withdrawn_article_is_made_anew(
    ask: Ask, support_agent: User, now: dt.datetime
) -> None:
    version = save_article(support_agent, PARKING, now=now)
    answer = suggest_answer(ask("Is parking free?"), now=now)
    assert answer is not None and answer.status == "suggested"
    changed = PARKING | {"text_en": "Parking behind the shop costs 2 EUR."}
    save_article(support_agent, changed, now=now, article=version.article, base=1)
    look_again(now=now)
    answer.refresh_from_db()
    assert answer.text != PARKING["text_en"]
    publish_article(support_agent, Article.objects.get(), is_published=False, now=now)
    look_again(now=now)
    answer.refresh_from_db()
    assert answer.status == "refused"


def test_what_a_person_decided_stays(ask: Ask, support_agent: User, now: dt.datetime) -> None:
    version = save_article(support_agent, PARKING, now=now)
    answer = suggest_answer(ask("Is parking free?"), now=now)
    Answer.objects.filter(pk=answer.pk if answer else 0).update(status="discarded", decided_at=now)
    save_article(support_agent, PARKING | {"text_en": "Parking is free."}, now=now, article=version.article, base=1)
    assert look_again(now=now) == 0


def test_an_article_that_changes_while_it_is_looked_up_is_looked_at_once_more(
    ask: Ask, support_agent: User, now: dt.datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    suggest_answer(ask("Is parking free?"), now=now)
    save_article(support_agent, {"title_en": "Water", "text_en": "Water is free."}, now=now)
    later = now + dt.timedelta(seconds=5)

    def suggest_while_somebody_saves(ticket: Ticket, *, now: dt.datetime) -> None:
        save_article(support_agent, PARKING, now=later)

    monkeypatch.setattr("support.answers.pending.suggest_answer", suggest_while_somebody_saves)
    look_again(now=now)
    monkeypatch.undo()
    assert look_again(now=later) == 1
    assert Answer.objects.get().status == "suggested"


def test_the_words_of_a_gap_are_counted_by_what_they_mean(gap_texts: list[Gap]) -> None:
    assert [len(gap.asked) for gap in gap_texts] == [2]


@pytest.fixture
def gap_texts(ask: Ask, articles: None, now: dt.datetime) -> list[Gap]:
    """One thing, in two languages, that the list of ideas knows and the articles do not have."""
    for number, (text, word) in enumerate((("Do you repair it?", "repair"), ("可以维修吗？", "维修"))):
        suggest_answer(ask(text, thread=str(number)), now=now)
        Answer.objects.filter(ticket__messages__text=text).update(
            status="refused", refusal="unanswered", lacking=[word, "get"]
        )
    return find_gaps()
