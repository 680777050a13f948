"""An article drafted for a gap: from what colleagues answered, from nothing else, and about nobody."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from support.answers.article_drafts import draft_article
from support.answers.gaps import Gap, find_gaps
from support.answers.sending import send_answer
from support.answers.suggesting import suggest_answer
from support.models import Answer, Article
from tests.model_server import ModelServer, answer, fault_500
from tests.support.conftest import Ask

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("articles")]
QUESTION = "Do you have climbing shoes for children?"
TRUE = "We sell climbing shoes for children from size 30."
ABOUT_KIM = "Kim, your own pair can be fetched at the counter."


@pytest.fixture
def gap(ask: Ask, support_agent: User, now: dt.datetime) -> Gap:
    """Two people asked about climbing; one was answered."""
    first = ask(QUESTION, thread="a")
    suggest_answer(first, now=now)
    suggest_answer(ask("Are climbing shoes for children in stock?", thread="b"), now=now)
    newest = first.messages.newest_spoken()[0].pk
    send_answer(support_agent, first, f"Thank you for your message. {TRUE} {ABOUT_KIM}", seen=newest, now=now)
    return find_gaps()[0]


def say(*sentences: str) -> Any:
    return lambda _request: answer({"sentences": [{"text": text, "passage": 1} for text in sentences]})


def test_each_question_is_in_one_gap(gap: Gap) -> None:
    assert len(gap.asked) == 2
    assert sum(len(one.asked) for one in find_gaps()) == 2


def test_the_word_of_a_gap_is_what_most_lack_and_weighs_most(gap: Gap) -> None:
    asked = list(Answer.objects.order_by("pk"))
    for one, lacking in zip(asked, (["rope", "boots"], ["boots", "rope", "axe"]), strict=True):
        Answer.objects.filter(pk=one.pk).update(lacking=lacking)
    assert [one.word for one in find_gaps()] == ["boots"], "as often and as heavy: by the alphabet"
    Answer.objects.filter(pk=asked[1].pk).update(lacking=["axe", "tent", "rope", "boots"])
    assert [one.word for one in find_gaps()] == ["rope"]


def test_without_a_model_it_has_the_colleagues_own_words_about_nobody(gap: Gap, now: dt.datetime) -> None:
    draft = draft_article(gap, now=now)
    assert draft.texts == {"title_en": QUESTION, "text_en": TRUE}
    assert (draft.answers, draft.prompt_version) == (1, "")
    assert not Article.objects.filter(current__title_en=QUESTION).exists()


def test_without_an_answer_there_is_nothing_to_draft_from(ask: Ask, now: dt.datetime) -> None:
    suggest_answer(ask(QUESTION), now=now)
    assert draft_article(find_gaps()[0], now=now).texts == {}


def test_of_a_models_words_only_those_stay_that_an_answer_carries(
    gap: Gap, model_server: ModelServer, now: dt.datetime
) -> None:
    model_server.answer_with(say("Climbing shoes for children: we sell them from size 30.", "They cost 20 EUR."))
    draft = draft_article(gap, now=now)
    assert draft.texts["text_en"] == "Climbing shoes for children: we sell them from size 30."
    assert draft.left_out == ("They cost 20 EUR.",)
    assert draft.prompt_version == "support.article 1"


def test_nothing_personal_reaches_the_model(gap: Gap, model_server: ModelServer, now: dt.datetime) -> None:
    model_server.answer_with(say(TRUE))
    draft_article(gap, now=now)
    told = str(model_server.requests).lower()
    assert "climbing" in told and "kim" not in told and "shopper.test" not in told


def test_a_model_that_fails_leaves_the_colleagues_words(gap: Gap, model_server: ModelServer, now: dt.datetime) -> None:
    model_server.always(fault_500())
    draft = draft_article(gap, now=now)
    assert draft.texts["text_en"] == TRUE
    assert draft.trouble


def test_the_page_fills_in_the_form_and_saves_nothing(gap: Gap, client: Client, support_agent: User) -> None:
    client.force_login(support_agent)
    before = Article.objects.count()
    page = client.post("/articles/gaps/draft/", {"word": gap.word})
    assert page.status_code == 200 and TRUE in page.content.decode() and ABOUT_KIM not in page.content.decode()
    assert 'action="/articles/new/"' in page.content.decode()
    assert Article.objects.count() == before
    assert client.post("/articles/gaps/draft/", {"word": "nobody asked this"}).status_code == 302


def test_whoever_may_not_read_tickets_gets_no_draft(gap: Gap, client: Client, marketer: User) -> None:
    client.force_login(marketer)
    assert client.post("/articles/gaps/draft/", {"word": gap.word}).status_code == 403
