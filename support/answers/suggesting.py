"""Suggests an answer for the newest message of a conversation, and keeps it with its sources."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_noop

from customers.models import Product
from llm.configuration import configured_model
from llm.errors import ModelError
from support.models import Answer, AnswerStatus, Article, ArticleVersion, Direction, Ticket, TicketMessage
from support.triage.deciding import read_open_text

from .answering import Answered
from .drafting import draft_answer
from .own_orders import add_own_order
from .products import PREFIX, answer_from_base
from .validation import CheckedSentence


def suggest_answer(ticket: Ticket, *, now: dt.datetime, may_ask: bool = True) -> Answer | None:
    """The suggestion for what waits for an answer; None where nothing does. Nothing is sent.

    Where a language model is connected and `may_ask`, it words what the base answers; what it may not be asked, or what
    it makes a mess of, stays quoted from the articles. A suggestion that a person has decided on stays; one that nobody
    has looked at is made anew. With a model not to be called inside a transaction.
    """
    message = find_open_message(ticket)
    if message is None:
        return None
    text = read_open_text(ticket)
    answered = answer_from_base(text)
    fields = describe(answered)
    is_of_product = bool(answered.articles) and answered.articles[0].startswith(PREFIX)  # told by code alone
    if not answered.refused and not is_of_product and may_ask and configured_model().is_configured:
        fields |= _word(ticket, text, answered, now)
    return keep_suggestion(ticket, message, add_own_order(ticket, text, fields), now=now)


def _word(ticket: Ticket, text: str, answered: Answered, now: dt.datetime) -> dict[str, Any]:
    """What a model makes of it, or the trouble it had."""
    try:
        drafted = draft_answer(ticket, text, answered.ranked, now=now)
    except ModelError as error:
        return {"trouble": error.kept[:300]}
    if not drafted.says_something:
        return {
            "trouble": gettext_noop(
                "The model's draft had no sentence that the articles carry; these are their own words."
            )
        }
    return {
        "text": drafted.text,
        "sentences": describe_sentences(drafted.sentences),
        "origin": Answer.Origin.MODEL,
        "prompt_version": drafted.prompt_version,
    }


def find_open_message(ticket: Ticket) -> TicketMessage | None:
    """The newest message of the customer that we have not answered."""
    newest = ticket.messages.newest_spoken().first()
    return newest if newest is not None and newest.direction == Direction.IN else None


@transaction.atomic
def keep_suggestion(ticket: Ticket, message: TicketMessage, fields: dict[str, Any], *, now: dt.datetime) -> Answer:
    """Write a suggestion down in the place of an undecided one."""
    kept = Answer.objects.select_for_update().filter(message=message).first()
    if kept is not None and kept.decided_at is not None:
        return kept
    answer, _made = Answer.objects.update_or_create(
        message=message, defaults={"ticket": ticket, "made_at": now, **fields}
    )
    return answer


def describe(answered: Answered) -> dict[str, Any]:
    """What is kept of an answer from the base."""
    return {
        "status": AnswerStatus.REFUSED if answered.refused else AnswerStatus.SUGGESTED,
        "refusal": answered.refused,
        "text": answered.answer,
        "sentences": describe_sentences(answered.sentences),
        "lacking": list(answered.lacking),
        "articles": list(answered.articles),
        "sureness": round(answered.sureness, 4),
        "origin": Answer.Origin.PASSAGES,
        "prompt_version": "",
        "trouble": "",
    }


def describe_sentences(sentences: tuple[CheckedSentence, ...] | list[CheckedSentence]) -> list[dict[str, Any]]:
    """Each sentence with the article, version and passage that carries it, or why none does."""
    numbers = {int(one.source.article) for one in sentences if one.source and one.source.article.isdecimal()}
    articles = Article.objects.filter(number__in=numbers).select_related("current")
    versions = {article.number: article.current for article in articles}
    skus = {one.source.article.removeprefix(PREFIX) for one in sentences if one.source}
    products = dict(Product.objects.filter(sku__in=skus).values_list("sku", "version"))
    return [_describe_sentence(one, versions, products) for one in sentences]


def _describe_sentence(
    one: CheckedSentence, versions: dict[int, ArticleVersion | None], products: dict[str, int]
) -> dict[str, Any]:
    told: dict[str, Any] = {"text": one.text, "supported": one.is_supported, "why": list(one.why)}
    if one.source is None:
        return told
    if one.source.article.startswith(PREFIX):
        sku = one.source.article.removeprefix(PREFIX)
        return told | {"product": sku, "version": products.get(sku), "passage": one.source.text}
    if one.source.article.isdecimal():
        version = versions.get(int(one.source.article))
        told |= {"article": int(one.source.article), "passage": one.source.text}
        if version is not None:
            told |= {"version": version.number, "title": version.title_en or version.title_zh}
    return told
