"""What the detectors find by form alone, in every country's shop, alone and inside a sentence; and what they leave."""

from __future__ import annotations

import pytest

from llm.detectors import PersonalKind, detect_spans
from llm.masking import mask_values, unmask_values
from llm.regions import read_shop_regions
from tests.llm.lookalikes import REGIONS, count_false_alarms

PERSONAL = {
    PersonalKind.EMAIL: (
        "zoe@example.test",
        "zoe @ example.com",
        "zoe (at) example (dot) com",
        "zoe[at]example[dot]com",
        "zoe at example dot com",
        "ｚｏｅ＠ｅｘａｍｐｌｅ．ｃｏｍ",
        "zoe@example。com",
        "zoe&#64;example.com",
        "zoe%2540example.com",
        "em9lLnF1aWxsQGV4YW1wbGUuY29t",
    ),
    PersonalKind.PHONE: (
        "+44 7700 900123",
        "07700 900123",
        "07700900123",
        "+447700900123",
        "0044 7700 900123",
        "020 7946 0958",
        "(020) 7946 0000",
        "+1 (555) 010-0199",
        "212-555-0100",
        "(212) 555-0100",
        "138 1234 5678",
        "138-1234-5678",
        "13812345678",
        "+86 138 1234 5678",
        "010-88886666",
        "0755-8888 6666",
        "1３8 1234 5678",
        "+49 (0)30 1234567",
        "030 / 1234567",
        "06 12 34 56 78",
        "+33 6 12 34 56 78",
        "call me on 555 0123 45",
        "电话：61234567",
        "٠٧٧٠٠ ٩٠٠١٢٣",
        "07700‑900‑123",
        "+8613812345678",
        "(+44) 7700 900 123",
        "＋44 7700 900123",
    ),
    PersonalKind.CARD: (
        "4111 1111 1111 1111",
        "4111-1111-1111-1111",
        "5500005555555559",
        "378282246310005",
        "6222 0212 3456 7890 128",
        "3530111333300000",
    ),
    PersonalKind.IBAN: (
        "DE89 3704 0044 0532 0130 00",
        "GB82WEST12345698765432",
    ),
    PersonalKind.ID: (
        "AB123456C",
        "536-22-1234",
        "11010519491231002X",
        "身份证号：110105194912310020",
        "SSN 123456789",
        "passport no. 123456789",
        "12345678Z",
        "RSSMRA85T10A562S",
        "1 84 12 76 451 089 46",
        "BSN 111222333",
        "微信号：zoe_quill88",
        "QQ：123456789",
        "86 095 742 719",
    ),
    PersonalKind.ADDRESS: (
        "12 Baker Street, London NW1 6XE",
        "221b baker street",
        "4 Harbour St, Leith",
        "1600 Pennsylvania Ave NW, Washington, DC 20500",
        "Flat 3, 22 Rose Gardens",
        "350 Fifth Avenue, New York, NY 10118",
        "EH6 6QU",
        "PO Box 1234",
        "Hauptstraße 12, 10115 Berlin",
        "12 rue de la Paix, 75002 Paris",
        "Calle Mayor 5",
        "上海市浦东新区张江路88号3栋502室",
        "北京市朝阳区望京街道阜通东大街6号院3号楼",
        "望京花园3栋2单元501室",
        "南京西路1266号",
        "台北市信義區市府路45號8樓",
        "my address is 5 The Old Mill, Ambleside",
        "收货地址：杭州文三路一百号",
    ),
    PersonalKind.URL: (
        "https://shop.test/reset?token=abc",
        "https://shop.test/u/9f8e7d6c5b4a39281706/orders",
        "ftp://zoe:pw@files.test/x",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ6b2UifQ.abc",
    ),
}
CASES = [(kind, text) for kind, texts in PERSONAL.items() for text in texts]


@pytest.mark.parametrize("regions", REGIONS, ids=lambda regions: regions[0])
@pytest.mark.parametrize(("kind", "text"), CASES, ids=[text for _kind, text in CASES])
def test_personal_value_is_found_by_its_form(kind: PersonalKind, text: str, regions: tuple[str, ...]) -> None:
    for sentence in (text, f"Please use {text}, thanks.", f"请用{text}，谢谢"):
        masked = mask_values(sentence, regions=regions)

        assert f"[{kind}_1]" in masked.values
        left = masked.values.replace("_1]", "]").replace("_2]", "]")
        assert not any(character.isdigit() for character in left), "no digit of it is left"
        assert unmask_values(masked.values, masked.replacements) == sentence


def test_order_numbers_prices_articles_and_dates_are_no_personal_values() -> None:
    alarms, tried, examples = count_false_alarms()

    assert tried > 10_000
    assert sum(alarms.values()) <= tried * 0.001, "\n".join(examples[:20])


@pytest.mark.parametrize(
    ("country", "zone", "expected"),
    [("", "Europe/Berlin", "DE"), ("", "Asia/Shanghai", "CN"), ("fr", "Europe/London", "FR"), ("", "UTC", "CN")],
)
def test_the_shops_country_comes_first(settings: object, country: str, zone: str, expected: str) -> None:
    settings.SHOP_COUNTRY, settings.SHOP_TIME_ZONE = country, zone  # type: ignore[attr-defined]

    assert read_shop_regions()[0] == expected
    assert set(read_shop_regions()) >= {"CN", "GB", "US"}


@pytest.mark.parametrize(
    ("number", "country"), [("0151 2345 6789", "DE"), ("612 345 678", "ES"), ("91 23 45 67", "NO")]
)
def test_number_is_read_as_at_home(number: str, country: str) -> None:
    assert [span.kind for span in detect_spans(f"it is {number} thanks", (country,))] == [PersonalKind.PHONE]


@pytest.mark.parametrize(
    "text",
    [
        "上海市" * 1_300, "我住在" * 1_300, "1" * 4_000, "12 " * 1_300, "a." * 2_000, "a1B2" * 1_000, "%" * 4_000,
        "&#" * 2_000, "0-" * 2_000, "12 Aa Bb Cc " * 330, "@" * 4_000, "A1 " * 1_300, "x@y." * 1_000, "一号" * 2_000,
    ],
    ids=lambda text: text[:6],
)  # fmt: skip
def test_no_text_keeps_the_detectors_long(text: str) -> None:
    """Patterns that try every way of splitting would take hours; a bounded number of steps is enough to show it."""
    assert detect_spans(text, ("GB", "CN", "US")) is not None
