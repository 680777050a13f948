"""Drafts an article for a gap from what colleagues answered to the people who asked, from nothing else. Never saved by itself.

Only sentences that hold for everybody are taken: none that greets, and none with a name, an address or a number of the
person who asked, of an order of theirs included. Where a language model is connected it puts them in order, through the
one door; of what it writes only the sentences stay that one of the colleagues' sentences carries.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from llm.client import complete
from llm.configuration import configured_model
from llm.errors import ModelError
from llm.masking import PersonalValue, mask_values
from support.models import Answer, Direction, Ticket, TicketMessage
from support.models.message import SendStatus
from support.triage.personal import find_personal_values

from .articles import Passage, split_sentences
from .gaps import Gap
from .prompts import ARTICLE, MOST_PASSAGES
from .typical import find_typical
from .validation import CheckedSentence, check_answer, check_sentence
from .words import is_chinese

#: Conversations of a gap that are read, the newest first.
MOST_READ: Final = 20
_SEPARATORS: Final = {True: "", False: " "}


@dataclass(frozen=True)
class ArticleDraft:
    """What an article might say, by the names of its fields; empty where no colleague has answered such a question yet.

    `answers` counts the answers it was made from, `left_out` has sentences of the model that nothing carries, `trouble`
    says why a connected model had no part in it.
    """

    texts: dict[str, str] = field(default_factory=dict)
    answers: int = 0
    left_out: tuple[str, ...] = ()
    prompt_version: str = ""
    trouble: str = ""


def draft_article(gap: Gap, *, now: dt.datetime) -> ArticleDraft:
    """A draft in each language in which colleagues answered. Asks a model where one is connected: not in a transaction."""
    replies = [(asked, reply) for asked in gap.asked[:MOST_READ] if (reply := _find_reply(asked)) is not None]
    texts: dict[str, str] = {}
    left_out: list[str] = []
    version = trouble = ""
    for in_chinese, language in ((False, "en"), (True, "zh")):
        passages = _collect_passages(replies, in_chinese=in_chinese)
        if not passages:
            continue
        sentences = [passage.text for passage in passages]
        if configured_model().is_configured:
            try:
                checked = _put_in_order(gap, passages, in_chinese=in_chinese, now=now)
            except ModelError as error:
                trouble = error.staff_message
            else:
                left_out += [one.text for one in checked if one.source is None and not one.is_courtesy]
                sentences = [one.text for one in checked if one.source is not None] or sentences
                version = f"{ARTICLE.name} {ARTICLE.version}"
        texts |= {
            f"text_{language}": _SEPARATORS[in_chinese].join(sentences),
            f"title_{language}": name_article(gap, in_chinese=in_chinese) or _begin_large(gap.word),
        }
    return ArticleDraft(texts, len(replies), tuple(left_out), version, trouble)


def name_article(gap: Gap, *, in_chinese: bool) -> str:
    """The title of an article about a gap: what most people asked in this language, or its word where that says something
    personal; "" where nobody asked in this language."""
    asked = [one for one in gap.asked if is_chinese(one.message.text) == in_chinese][:MOST_READ]
    question = find_typical([one.message.text for one in asked], gap.word)
    writers = (one.ticket for one in asked)
    if (
        question
        and not question.endswith("…")
        and all(_is_general(question, ticket, find_personal_values(ticket)) for ticket in writers)
    ):
        return _begin_large(question)
    return _begin_large(gap.word) if asked else ""


def _begin_large(text: str) -> str:
    return text[:1].upper() + text[1:]


def _is_general(sentence: str, ticket: Ticket, personal: Sequence[PersonalValue]) -> bool:
    """Whether it has no name, address or number of whoever wrote the ticket (`personal`), of its order included."""
    number = ticket.order.external_id if ticket.order is not None else ""
    is_named = bool(number) and number in sentence
    return not is_named and mask_values(sentence, personal).values == sentence


def _find_reply(asked: Answer) -> TicketMessage | None:
    """What a colleague answered to the question; nothing that went out by itself."""
    return (
        asked.ticket.messages.filter(
            direction=Direction.OUT, author__isnull=False, send_status=SendStatus.SENT, pk__gt=asked.message_id
        )
        .order_by("pk")
        .first()
    )


def _collect_passages(replies: list[tuple[Answer, TicketMessage]], *, in_chinese: bool) -> list[Passage]:
    """The sentences of these answers that hold for everybody, each once."""
    passages: list[Passage] = []
    for asked, reply in replies:
        for sentence in _find_general(reply.text, asked.ticket):
            if is_chinese(sentence) == in_chinese and not any(sentence == known.text for known in passages):
                passages.append(Passage("", len(passages), sentence, in_chinese))
    return passages[:MOST_PASSAGES]


def _find_general(text: str, ticket: Ticket) -> Iterator[str]:
    personal = find_personal_values(ticket)
    for line in text.splitlines():
        for sentence in split_sentences(line):
            if _is_general(sentence, ticket, personal) and not check_sentence(sentence, ()).is_courtesy:
                yield sentence


def _put_in_order(gap: Gap, passages: list[Passage], *, in_chinese: bool, now: dt.datetime) -> list[CheckedSentence]:
    """What the model makes of the colleagues' sentences, each with the one that carries it. Raises ModelError."""
    values = [value for asked in gap.asked[:MOST_READ] for value in find_personal_values(asked.ticket)]
    completion = complete(
        ARTICLE,
        {
            "language": "Simplified Chinese" if in_chinese else "English",
            "questions": [asked.message.text[:500] for asked in gap.asked[:5]],
            "passages": [{"number": passage.position + 1, "text": passage.text} for passage in passages],
        },
        purpose="support.article",
        now=now,
        known_personal_values=values,
    )
    text = "\n".join(" ".join(str(one["text"]).split()) for one in completion.data["sentences"])
    return check_answer(text, passages)
