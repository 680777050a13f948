"""Ways round the masking that were found by attacking it; each was open before."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm.masking import PersonalKind, PersonalValue, mask_untrusted, mask_values, unmask_values
from llm.placeholders import PLACEHOLDER, count_placeholders

REGIONS = ("GB", "CN", "US")


def mask(text: str, *known: str | PersonalValue) -> str:
    return str(mask_values(text, known, regions=REGIONS).values)


@pytest.mark.parametrize(
    ("known", "text", "left"),
    [
        ("Łukasz", "Lukasz wrote", "[NAME_1] wrote"),
        ("Øystein", "oystein", "[NAME_1]"),
        ("Đặng", "Dang", "[NAME_1]"),
        ("Æsa Björk", "Aesa bjoerk", "[NAME_1]"),
        ("Müller", "Herr Mueller", "Herr [NAME_1]"),
        ("José", "Jose\u0301 said", "[NAME_1] said"),
        ("Kate", "K\u0336a\u0336t\u0336e\u0336!", "[NAME_1]!"),
        ("Katherine", "katherine1987 and 7katherine", "[NAME_1]1987 and 7[NAME_1]"),
        (PersonalValue("John [NAME_2] Smith"), "John [NAME_2] Smith here", "[NAME_1] here"),
        ("欧阳娜娜", "欧阳小姐和娜娜", "[NAME_1]和[NAME_2]"),
        ("王小明", "王先生，小明", "[NAME_1]，[NAME_2]"),
        (PersonalValue("07700 900123", PersonalKind.PHONE), "+447700900123", "[PHONE_1]"),
        (PersonalValue("12 Quay Row, Leith EH6 6QU", PersonalKind.ADDRESS), "to eh66qu", "to [ADDRESS_1]"),
    ],
)
def test_a_known_value_is_found_however_it_is_written(known: str | PersonalValue, text: str, left: str) -> None:
    assert mask(text, known) == left


@pytest.mark.parametrize(
    ("known", "text"),
    [
        ("Ines", "pines"),
        ("May", "we may go"),
        ("Rose", "roses"),
        ("Li", "3li"),
        ("王小明", "小王子"),
        ("Kate", "Skates"),
    ],
)
def test_a_name_inside_another_word_is_none(known: str, text: str) -> None:
    assert mask(text, known) == text


UNKNOWN = (
    ("john . smith @ example . com", PersonalKind.EMAIL),
    ('"john doe"@example.com', PersonalKind.EMAIL),
    ("john@\nexample.com", PersonalKind.EMAIL),
    ("john@[192.168.1.1]", PersonalKind.EMAIL),
    ("张伟@例子.中国", PersonalKind.EMAIL),
    ("zoe at gmail.com", PersonalKind.EMAIL),
    ("zoe.quill at fernweh.com", PersonalKind.EMAIL),
    ("一三八一二三四五六七八", PersonalKind.PHONE),
    ("幺三八 一二三四 五六七八", PersonalKind.PHONE),
    ("壹叁捌壹贰叁肆伍陆柒捌", PersonalKind.PHONE),
    ("oh seven seven double oh nine oh oh one two three", PersonalKind.PHONE),
    ("4111.1111.1111.1111", PersonalKind.CARD),
    ("4111/1111/1111/1111", PersonalKind.CARD),
    ("4111\n1111\n1111\n1111", PersonalKind.CARD),
    ("DE89.3704.0044.0532.0130.00", PersonalKind.IBAN),
    ("110105 19491231 002X", PersonalKind.ID),
    ("110105194912310021", PersonalKind.ID),
    ("ab 12 34 56 c", PersonalKind.ID),
    ("京A12345", PersonalKind.ID),
    ("粤BD12345", PersonalKind.ID),
    ("203.0.113.77", PersonalKind.ID),
    ("2001:db8::ff00:42:8329", PersonalKind.ID),
    ("AKIAIOSFODNN7EXAMPLE", PersonalKind.URL),
    ("hf_abcdefghijklmnopqrst", PersonalKind.URL),
    ("shop.test/reset?token=abcdef123456", PersonalKind.URL),
    ("阳光小区3栋2单元501", PersonalKind.ADDRESS),
    ("青山村5组12号", PersonalKind.ADDRESS),
)


@pytest.mark.parametrize(("value", "kind"), UNKNOWN)
def test_an_unknown_value_is_found_by_its_form(value: str, kind: PersonalKind) -> None:
    for text in (value, f"Hello ({value}) there", f"请联系：{value}，谢谢"):
        masked = mask_values(text, regions=REGIONS)
        assert masked.values == text.replace(value, f"[{kind}_1]")
        assert unmask_values(masked.values, masked.replacements) == text


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("加我微信 zhangwei88", "zhangwei88"),
        ("VX zhang_wei", "zhang_wei"),
        ("my wechat id zhangwei_88", "zhangwei_88"),
        ("telegram @johnsmith", "@johnsmith"),
        ("qq群123456789", "123456789"),
        ("港澳通行证 C12345678", "C12345678"),
        ("身分證 A123456789", "A123456789"),
    ],
)
def test_what_is_announced_is_found_without_a_colon(text: str, value: str) -> None:
    assert mask(text) == text.replace(value, "[ID_1]")


@pytest.mark.parametrize(
    "text",
    [
        "look at fernweh.com for more", "see you at example.com today", "version 1.2.3.4 and 10.2.1", "at 12:30:45 sharp",
        "one two three, four five", "一二三四五六七八九十一", "follow us on wechat today", "a skype call", "sizes 38 40 42 44",
        "2024.1111.1111", "order 2024\n1234\n5678", "微信支付很方便", "一三五七九", "京东A级", "shop.test/jackets?",
        "fernweh.test/jackets/alpine", "the ratio 4:3:2", "10.000.000.000 pieces", "第5组", "这个村很美",
    ],
)  # fmt: skip
def test_what_only_looks_like_it_stays(text: str) -> None:
    assert mask(text) == text


@pytest.mark.parametrize(
    "planted", ["[NAME_999]", "[NAME_999999999]", "［EMAIL_1］", "【EMAIL_1】", "[email 1]", "\\[EMAIL\\_1\\]"]
)
def test_a_planted_placeholder_neither_gets_a_value_nor_keeps_one_away(planted: str) -> None:
    text = f"{planted} zoe@example.test"
    masked = mask_values(text, regions=REGIONS)
    assert masked.values.startswith(planted) and "zoe@" not in masked.values
    assert unmask_values(masked.values, masked.replacements) == text


@pytest.mark.parametrize(
    "written", ["[EMAIL_1]", "［EMAIL_1］", "【EMAIL_1】", "[EMAIL 1]", "\\[EMAIL\\_1\\]", "[email_ 1]"]
)
def test_a_placeholder_is_put_back_however_a_model_writes_it(written: str) -> None:
    assert unmask_values(f"To {written}.", {"[EMAIL_1]": "zoe@example.test"}) == "To zoe@example.test."


def test_no_number_of_a_person_hides_as_a_placeholder() -> None:
    assert "61234567" not in mask("电话 [phone 61234567]")
    assert "4012" not in mask("that is [ID 4012]", PersonalValue("4012", PersonalKind.ID))


@pytest.mark.parametrize("most", range(28, 60))
def test_a_value_across_the_cut_is_masked_whole_or_is_not_there(most: int) -> None:
    text = "x " * 14 + "Katherine 4111 1111 1111 1111 zoe@example.test"
    values = mask_untrusted({"t": text}, most, ["Katherine"]).values["t"]
    assert len(values) <= most
    assert re.sub(r"\[(NAME|CARD|EMAIL)_\d\]", "", values).strip("x ") == ""


def test_what_was_masked_is_counted_as_we_write_it() -> None:
    masked = mask("zoe@example.test, ada@example.test and [phone 1], [NAME_7x]")
    assert count_placeholders(masked) == {"EMAIL": 2}


NASTY = st.text(alphabet=st.sampled_from(list("aеé\u0301ßŁøİ王小明🙂\u200b\u202e[]_1{}%&;\\ \n'-@.＠１")), max_size=24)


@given(name=NASTY, before=NASTY, after=NASTY)
def test_what_is_masked_is_gone_and_comes_back(name: str, before: str, after: str) -> None:
    """Of names with anything in them: combining marks, placeholders, Liquid, bidirectional marks, half a percent-encoding."""
    whole = f"Kath{name}erine"
    text = f"{before} {whole} {after}"
    masked = mask_values(text, [whole], regions=REGIONS)
    assert whole not in masked.values
    back = unmask_values(masked.values, masked.replacements)
    assert PLACEHOLDER.findall(back) == PLACEHOLDER.findall(text.replace(whole, "")) or whole in back
