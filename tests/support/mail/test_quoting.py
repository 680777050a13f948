"""What a mail repeats is cut, what its writer says is not; where the two cannot be told apart nothing is lost."""

from __future__ import annotations

import pytest

from support.mail.quoting import cut_quoted

US = "Tarnside <help@tarnside.test>"
CASES = {
    "marks": ("It is blue.\n\n> What colour is it?\n> Sam", "It is blue."),
    "attribution": (f"It is blue.\n\nOn Mon, 23 Nov 2026 at 12:00, {US} wrote:\n> What colour?", "It is blue."),
    "attribution over two lines": (
        "It is blue.\n\nOn Mon, 23 Nov 2026 at 12:00, Tarnside Outdoor\n<help@tarnside.test> wrote:\n\n> What colour?",
        "It is blue.",
    ),
    "attribution without marks": ("Blue.\n\nOn 23 Nov 2026, Tarnside wrote:\n\nWhat colour is it?\nSam", "Blue."),
    "german": (f"Blau.\n\nAm 23.11.2026 um 12:00 schrieb {US}:\n> Welche Farbe?", "Blau."),
    "french": (f"Bleu.\n\nLe lun. 23 nov. 2026 à 12:00, {US} a écrit :\n> Couleur ?", "Bleu."),
    "chinese": (f"蓝色的。\n\n在 2026年11月23日，{US} 写道：\n> 什么颜色？", "蓝色的。"),
    "chinese web mail": (
        "蓝色的。\n\n------------------ 原始邮件 ------------------\n发件人: \"Tarnside\" <help@tarnside.test>;\n"
        "发送时间: 2026年11月23日\n收件人: \"Kim\"<kim@shopper.test>;\n主题: Re: 问题\n\n什么颜色？",
        "蓝色的。",
    ),
    "outlook": (
        f"Blue.\n\n________________________________\nFrom: {US}\nSent: Monday\nTo: Kim\nSubject: Re: A question\n\nWhat?",
        "Blue.",
    ),
    "outlook without a line": ("Blue.\n\nFrom: Tarnside\nSent: Monday\nTo: Kim\nSubject: Re: A question\n\nWhat?", "Blue."),
    "original message": ("Blue.\n\n-----Original Message-----\nFrom: T\nSent: M\nTo: K\nSubject: S\n\nWhat?", "Blue."),
    "below": ("On Monday, Tarnside wrote:\n> What colour is it?\n\nIt is blue.", "It is blue."),
    "signature": ("It is blue.\n\n-- \nKim Lee\n+44 20 7946 0812", "It is blue."),
    "telephone": ("It is blue.\n\nSent from my iPhone", "It is blue."),
    "chinese telephone": ("是蓝色的。\n\n发自我的iPhone", "是蓝色的。"),
    "telephone and quotation": ("Blue.\n\nSent from my iPhone\n\n> On 23 Nov 2026, at 12:00, Tarnside wrote:\n> What?", "Blue."),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_quotations_and_signatures_are_cut(name: str) -> None:
    whole, said = CASES[name]
    parts = cut_quoted(whole)
    assert (parts.said, parts.is_cut) == (said, True)


@pytest.mark.parametrize(
    "text",
    [
        "The seller wrote: it is waterproof.\nIt is not.",
        "On Monday the parcel came.\nMy wife wrote:\nplease call.",
        "From: Leeds\nTo: London\nThe parcel was sent on Monday.",
        "My order:\n> 1 tent\n> 2 pegs\nWhere is it?",
        "Size: 5 > 4, and 3 < 4",
        "Dear shop,\n--\n",
        "> only a quotation",
        "",
    ],
)
def test_words_of_the_writer_stay(text: str) -> None:
    parts = cut_quoted(text)
    assert parts.said == text.strip().removesuffix("\n--").strip() or parts.said == text.strip()


def test_answers_between_the_lines_keep_the_lines() -> None:
    text = "On Monday, Tarnside wrote:\n> What colour?\n\nBlue.\n\n> What size?\n\nLarge."
    assert cut_quoted(text).said == "> What colour?\n\nBlue.\n\n> What size?\n\nLarge."
