"""The demo shop's articles, and a morning's tickets: questions, a complaint, one for people only, one that nothing answers."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from django.contrib.auth.models import User

from customers.models import Customer
from retention_site.demo.people import SUPPORT_AGENT, Person
from support.answers.articles import read_articles
from support.answers.knowledge import save_article
from support.answers.pending import suggest_pending
from support.inbox.opening import Incoming
from support.inbox.working import assign_ticket
from support.models import CannedAnswer, Ticket, TicketChannel
from support.triage.deciding import receive

from .answered import answer_earlier
from .mails import write_mails

ARTICLES: Final = Path(__file__).parent / "articles.md"
CHINESE_TITLES: Final = (
    "配送时间与费用", "寄往其他国家", "查询包裹", "退货", "退款", "更换尺码或颜色", "修改或取消订单", "付款方式", "礼品卡",
    "保修与维修", "夹克的洗涤与防水", "靴子的尺码选择", "Tarnside 俱乐部", "账户与密码", "门店与营业时间",
)  # fmt: skip
CANNED: Final = (
    ("Greeting", "en", "Dear {first_name},\n\nthank you for your message.\n\nBest regards\n{shop_name}"),
    (
        "Order received",
        "en",
        "Dear {first_name},\n\nyour order {order_number} of {order_date} is with us.\n\n{shop_name}",
    ),
    ("问候", "zh", "{first_name}，您好！\n\n感谢您的来信。\n\n{shop_name}"),
)


@dataclass(frozen=True)
class Asked:
    """One message: hours before now, in which language, what about, what it says; `{order}` is the newest order's number."""

    hours_ago: float
    language: str
    subject: str
    text: str


ASKED: Final = (
    Asked(26.0, "en", "Washing", "Can I use fabric softener on my waterproof jacket?"),
    Asked(9.0, "en", "Order {order}", "Hello, how long does standard delivery take? I ordered {order} on Monday."),
    Asked(
        7.5, "en", "Broken zip, third time I write",
        "This is ridiculous. The zip of my jacket broke after a month, I have written twice and nobody answers."
        " I am really disappointed and want my money back.",
    ),
    Asked(6.0, "zh", "退货", "请问多少天内可以退货？"),
    Asked(5.0, "en", "Saturday?", "Do you deliver on Saturdays?"),
    Asked(4.0, "en", "Boots", "Do you have climbing shoes for children?"),
    Asked(3.0, "zh", "帐篷坏了", "收到的帐篷杆是断的，质量太差了，非常失望，要求退款！"),
    Asked(2.0, "en", "Stove", "The stove you sold me caught fire and burned my hand. My lawyer will contact you."),
    Asked(1.0, "en", "Password", "I forgot my password, what can I do?"),
    Asked(0.5, "en", "Gift card", "How long is a gift card valid, and can I use it for several orders?"),
)  # fmt: skip


def open_support(users: dict[Person, User], *, now: dt.datetime) -> int:
    """Write the articles, take the tickets in and suggest answers. Returns how many tickets there are."""
    agent = users[SUPPORT_AGENT]
    _write_articles(agent, now=now - dt.timedelta(days=40))
    for name, language, text in CANNED:
        CannedAnswer.objects.get_or_create(name=name, language=language, defaults={"text": text})
    answer_earlier(agent, now=now)
    for number, asked in enumerate(ASKED):
        _ask(number, asked, now)
    by_mail = write_mails(agent, now=now)
    suggest_pending(now=now, most=len(ASKED) + by_mail)
    _take_one(agent)
    return len(ASKED) + by_mail


def _write_articles(agent: User, *, now: dt.datetime) -> None:
    for article, title_zh in zip(read_articles(ARTICLES.read_text(encoding="utf-8")), CHINESE_TITLES, strict=True):
        english = [passage.text for passage in article.passages if not passage.is_chinese]
        chinese = [passage.text for passage in article.passages if passage.is_chinese]
        texts = {
            "title_en": article.title,
            "text_en": " ".join(english),
            "title_zh": title_zh,
            "text_zh": "".join(chinese),
        }
        save_article(agent, texts, now=now)


def _ask(number: int, asked: Asked, now: dt.datetime) -> None:
    people = (
        Customer.objects.known().filter(language__startswith=asked.language, orders__isnull=False).exclude(email="")
    )
    customer = people.distinct().order_by("-pk")[number * 7 : number * 7 + 1].first()
    if customer is None:
        return
    order = customer.orders.filter(is_return=False).order_by("-ordered_at").first()
    name, at = (order.external_id if order else ""), now - dt.timedelta(hours=asked.hours_ago)
    incoming = Incoming(
        channel=TicketChannel.API,
        thread=f"demo-{number}",
        external_id=f"demo-{number}",
        text=asked.text.replace("{order}", name),
        subject=asked.subject.replace("{order}", name),
        customer=customer,
        written_at=at,
    )
    receive(incoming, now=at)


def _take_one(agent: User) -> None:
    ticket = Ticket.objects.filter(is_complaint=True).by_urgency().first()
    if ticket is not None:
        assign_ticket(agent, ticket, agent)
