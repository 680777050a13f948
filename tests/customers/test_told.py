"""What rows keep is told in the language of whoever reads it."""

from __future__ import annotations

import ast
import re
import time
from collections.abc import Iterator

import pytest
from django.conf import settings
from django.utils.translation import gettext, override

from customers.told import tell

PACKAGES = ("campaigns", "customers", "llm", "retention_site", "support")
SLOT = re.compile(r"%\((\w+)\)[-+ #0-9.]*([a-z])")


def in_chinese(kept: str) -> str:
    with override("zh-hans"):
        return tell(kept)


def list_kept() -> Iterator[str]:
    """Every sentence that code marks as kept: a `gettext_noop` that ends as a sentence does, or has values."""
    for package in PACKAGES:
        for path in (settings.BASE_DIR / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "gettext_noop":
                    text = ast.literal_eval(node.args[0])
                    if text.endswith(".") or SLOT.search(text):
                        yield text


def test_every_sentence_that_is_kept_can_be_told() -> None:
    """With values in it that nobody types, so that none is lost or stands elsewhere."""
    kept = sorted(set(list_kept()))
    assert len(kept) > 60
    for text in kept:
        values = {name: "4711" if kind == "d" else f"<{name}>" for name, kind in SLOT.findall(text)}
        told = in_chinese(SLOT.sub(r"%(\1)s", text) % values if values else text)
        assert re.search("[\u4e00-\u9fff]", told), text
        assert told == (SLOT.sub(r"%(\1)s", _translate(text)) % values if values else _translate(text)), text


def _translate(text: str) -> str:
    with override("zh-hans"):
        return gettext(text)


def test_english_readers_are_told_what_is_kept() -> None:
    for kept in ("Taken back before it was sent.", "the customer wrote: “换个颜色”", ""):
        with override("en"):
            assert tell(kept) == kept
        with override(None):
            assert tell(kept) == kept


@pytest.mark.parametrize(
    "typed",
    [
        "Offers", "Messages", "Test", "Too many customers", "Kim's customers.", "The voucher is wrong, see the mail.",
        "换一张图片。", "Edited", "3", "100%", "%(n)s", "The subject has many characters; mail programs show about 60.",
    ],
)  # fmt: skip
def test_what_people_type_stays_as_it_was_typed(typed: str) -> None:
    assert in_chinese(typed) == typed


def test_days_and_labels_among_the_values_are_told_too() -> None:
    kept = "The approval was valid for 14 days, until 23 Nov 2026 12:05. Look at it again and submit it again."
    told = in_chinese(kept)
    assert "14" in told and "12:05" in told and "2026" in told and "Nov" not in told
    told = in_chinese("Changed after the approval: Audience, Messages. Look at it and submit it again.")
    assert "Audience" not in told and "Messages" not in told
    told = in_chinese("None of the 7 lines could be imported: no customer (4), a negative price (3).")
    assert "no customer" not in told and "(4)" in told and "negative" not in told


def test_a_sentence_inside_of_another_is_told_and_what_a_person_typed_there_is_not() -> None:
    told = in_chinese("Change 3 is open again: Nobody decided within 14 days. Look at it again and submit it again.")
    assert "Nobody" not in told and "14" in told and "3" in told
    told = in_chinese("Change 3 was not approved: Taken back before it was sent.")
    assert told.endswith("Taken back before it was sent.") and not told.startswith("Change")


def test_several_sentences_stand_on_lines_of_their_own() -> None:
    first, second = "Taken back before it was sent.", "2,000 lines had been taken over by then, and stay."
    assert in_chinese(f"{first}\n{second}") == f"{in_chinese(first)}\n{in_chinese(second)}"
    assert in_chinese(f"{first}\nAsk Kim first") == f"{first}\nAsk Kim first"


def test_a_text_made_to_be_tried_again_and_again_takes_no_time() -> None:
    """Its pieces stand in it so often that a pattern which goes back would try billions of ways to cut it."""
    sentence = "%(attribute)s %(group)s: leavers overlooked, %(value)s points against the others (%(low)s to %(high)s)."
    pieces = SLOT.sub("", sentence).partition(": leavers")
    made = f"a b{(pieces[1] + pieces[2][:-2]) * 400}{pieces[2][-1]}"
    began = time.process_time()
    assert in_chinese(made) == made
    assert time.process_time() - began < 10
