"""The customer's own order as a source of answers: the one that they name, told in sentences by code with slots for its facts.

Facts are filled in when the text is shown and again when it is sent (`slots`), never by a model. An answer that tells of an
order goes to a person: what the parcel does at this hour, the shop's data do not say.
"""

from __future__ import annotations

import re
from typing import Any, Final

from django.utils import translation
from django.utils.translation import gettext as _

from support.models import AnswerStatus, Ticket, Topic

from .slots import fill_slots, read_slots

#: What of the facts is asked for, each with the sentence that tells it.
_ASKED: Final = tuple(
    (re.compile(asked, re.IGNORECASE), told)
    for asked, told in (
        (
            r"\bwhen (?:did|have|had) (?:i|we) (?:\w+ )?(?:order|buy|bought|place|purchase)"
            r"|\b(?:date|day) of (?:my|the|our) (?:order|purchase)"
            r"|(?:什么时候|何时|哪天|几号)(?:下的?单|买的|订的|购买|下了?单)|(?:下单|购买|订单)(?:的)?(?:日期|时间)",
            "placed",
        ),
        (
            r"\bwhat (?:all )?(?:did|have|had) (?:i|we) (?:\w+ )?(?:order|buy|bought|purchase)"
            r"|\bwhat (?:is|was|are|were) (?:all )?in (?:my|the|our|that) (?:\w+ )?(?:order|purchase)"
            r"|\b(?:which|what|how many) (?:items?|articles?|things|products?)\b.{0,40}\border"
            r"|(?:买|订|购买|下单)了?(?:些|的)?(?:什么|哪些)|订单.{0,12}(?:有什么|有哪些|包含|几件|哪些(?:商品|东西))",
            "holds",
        ),
        (
            r"\bhow (?:much|expensive) (?:was|is|were) (?:my|the|our|that) (?:\w+ )?(?:order|purchase)"
            r"|\bhow much did (?:i|we) (?:pay|spend)"
            r"|\b(?:total|sum|amount) (?:of|for) (?:my|the|our|that) (?:\w+ )?(?:order|purchase)"
            r"|订单.{0,12}(?:多少钱|总价|总额|金额|合计|一共)|(?:一共|总共)(?:付|花|是)?了?多少",
            "cost",
        ),
    )
)
_QUESTION: Final = re.compile(r"[?？]")
#: Questions about these are about the order; one about a size is about the article.
_ABOUT_ORDERS: Final = frozenset(
    (Topic.DELIVERY, Topic.ORDER, Topic.RETURN, Topic.REFUND, Topic.PAYMENT, Topic.WARRANTY)
)


def add_own_order(ticket: Ticket, question: str, fields: dict[str, Any]) -> dict[str, Any]:
    """A suggestion with what the shop knows of the order that the conversation names: what of it was asked for, and before an
    answer about orders which one it is. As it was where none is named, it is a return, or nothing of it helps."""
    order = ticket.order
    if order is None or order.is_return or fields["refusal"] not in ("", "unanswered"):
        return fields
    has_items = "order_items" in read_slots(ticket)
    kinds = [told for asked, told in _ASKED if asked.search(question) and (told != "holds" or has_items)]
    is_answered = not fields["refusal"]
    if kinds and len(_QUESTION.findall(question)) < 2:  # nothing else is asked: the facts are the answer
        is_answered = False
    elif not kinds and is_answered and ticket.topic in _ABOUT_ORDERS:
        kinds = ["this" if has_items else "this alone"]
    if not kinds:
        return fields
    with translation.override(ticket.interface_language):
        told = [_say(kind) for kind in kinds]
    between = "" if ticket.language == "zh" else " "
    source = {"supported": True, "why": [], "order": order.external_id}
    return fields | {
        "status": AnswerStatus.SUGGESTED,
        "refusal": "",
        "text": between.join([*told, fields["text"]]).strip() if is_answered else between.join(told),
        "sentences": [
            *({"text": fill_slots(text, ticket)} | source for text in told),
            *(fields["sentences"] if is_answered else []),
        ],
    }


def _say(kind: str) -> str:
    """A sentence with slots. Its braces are those of `slots`, not of Python."""
    said = {
        "this": _("This is about your order {order_number} of {order_date} ({order_items}; {order_total})."),
        "this alone": _("This is about your order {order_number} of {order_date} ({order_total})."),
        "placed": _("You placed order {order_number} on {order_date}."),
        "holds": _("Order {order_number} of {order_date}: {order_items}."),
        "cost": _("Order {order_number} of {order_date} came to {order_total}."),
    }
    return said[kind]
