"""Texts that look like personal values and are none: order numbers, prices, SKUs, dates, barcodes, product names.

`python -m tests.llm.lookalikes` prints how many of them the detectors take for personal, by kind; seeded.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator

from stdnum import ean

from llm.detectors import detect_spans

SEED = 41
REGIONS = (("GB", "CN", "US"), ("CN", "GB", "US"), ("US", "CN", "GB"), ("DE", "CN", "GB", "US"))
EACH = 80

SENTENCES = {
    "en": ("{}", "About {}: it came late.", "I ordered {} and got something else", "is {} still in stock?"),
    "zh": ("{}", "关于{}，我想退货。", "我买了{}，质量不错", "请问{}还有货吗？"),
}


def _digits(draw: random.Random, count: int) -> str:
    return "".join(draw.choice("0123456789") for _ in range(count))


def _letters(draw: random.Random, count: int) -> str:
    return "".join(draw.choice("ABCDEFGHJKLMNPQRSTUVWXYZ") for _ in range(count))


def _barcode(draw: random.Random) -> str:
    body = f"{draw.randint(10, 69)}{_digits(draw, 10)}"
    return body + str(ean.calc_check_digit(body))


#: What shops write, one maker for each kind.
MAKERS: dict[str, Callable[[random.Random], str]] = {
    "order number, 6 digits": lambda d: f"#{_digits(d, 6)}",
    "order number, 9 digits": lambda d: f"order {_digits(d, 9)}",
    "order number, 10 digits": lambda d: f"order no. {_digits(d, 10)}",
    "order number by date": lambda d: f"2026{d.randint(1, 12):02}{d.randint(1, 28):02}{_digits(d, 8)}",
    "order number, 3-7-7": lambda d: f"1{_digits(d, 2)}-{_digits(d, 7)}-{_digits(d, 7)}",
    "order number, 19 digits": lambda d: f"订单号{_digits(d, 19)}",
    "invoice": lambda d: f"INV-2026-{_digits(d, 5)}",
    "tracking number": lambda d: f"SF{_digits(d, 13)}",
    "tracking number, 12 digits": lambda d: f"运单号 {_digits(d, 12)}",
    "SKU": lambda d: f"{_letters(d, 3)}-{_digits(d, 5)}",
    "SKU, long": lambda d: f"{_letters(d, 2)}{_digits(d, 4)}-{_letters(d, 2)}-{_digits(d, 2)}",
    "SKU, digits and a letter": lambda d: f"{_digits(d, 5)}{_letters(d, 1)}",
    "barcode": lambda d: _barcode(d),
    "ISBN": lambda d: f"ISBN 978-7-{_digits(d, 3)}-{_digits(d, 5)}-{_digits(d, 1)}",
    "date": lambda d: f"2026-{d.randint(1, 12):02}-{d.randint(1, 28):02}",
    "date, other ways": lambda d: d.choice(["24.12.2026", "12/24/2026", "24 Dec 2026", "2026年12月24日", "2026.12.24"]),
    "dates from and to": lambda d: f"2026-11-{d.randint(1, 28):02} - 2026-12-{d.randint(1, 28):02}",
    "time": lambda d: f"{d.randint(0, 23):02}:{d.randint(0, 59):02}-{d.randint(0, 23):02}:{d.randint(0, 59):02}",
    "price": lambda d: f"{d.choice('€£$¥')}{d.randint(1, 9999):,}.{_digits(d, 2)}",
    "price after the amount": lambda d: f"{d.randint(1, 99)} {_digits(d, 3)},{_digits(d, 2)} kr",
    "prices in a row": lambda d: " / ".join(f"{d.randint(10, 99)}.{_digits(d, 2)}" for _ in range(4)),
    "large number": lambda d: f"{d.randint(1, 999):,},{_digits(d, 3)},{_digits(d, 3)}",
    "percentage": lambda d: f"{d.randint(1, 99)}.{_digits(d, 1)} %",
    "dimensions": lambda d: f"{d.randint(10, 200)} x {d.randint(10, 200)} x {d.randint(10, 200)} cm",
    "sizes": lambda d: d.choice(["36-38-40-42", "EU 42 / UK 8 / US 9", "170/92A", "XL 2XL 3XL", "W32 L34"]),
    "measures": lambda d: f"{d.randint(100, 999)}g, {d.randint(1, 9)}.{_digits(d, 1)}kg, {d.randint(100, 2000)} ml",
    "version": lambda d: f"v{d.randint(1, 9)}.{d.randint(0, 99)}.{d.randint(0, 999)}",
    "coordinates of a shelf": lambda d: f"A{_digits(d, 2)}-{_digits(d, 2)}-{_digits(d, 2)}",
    "colour": lambda d: f"#{_digits(d, 6)}",
    "product name": lambda d: d.choice(PRODUCT_NAMES),
    "product name, Chinese": lambda d: d.choice(PRODUCT_NAMES_ZH),
    "sentence": lambda d: d.choice(PHRASES),
}
PRODUCT_NAMES = (
    "SET OF 6 T-LIGHTS EASTER CHICKS", "RECORD FRAME 7\" SINGLE SIZE", "3 DRAWER ANTIQUE WHITE WOOD CABINET",
    "PACK OF 72 RETROSPOT CAKE CASES", "60 CAKE CASES VINTAGE CHRISTMAS", "LONDON BUS COFFEE MUG",
    "12 PENCILS TALL TUBE WOODLAND", "4 LAVENDER BOTANICAL DINNER CANDLES", "Abbey Road Poster 24x36",
    "221B Detective Mug", "Route 66 Sign", "Baker Street Tote Bag", "Wall Street T-shirt, 2 pack", "7 Way Adapter",
    "Fifth Avenue Perfume 125 ml", "Ocean Drive Sunglasses", "Chanel No. 5", "501 Original Jeans",
    "iPhone 17 Pro Max 256GB", "Galaxy S26 Ultra 5G", "Boeing 747-400 model kit 1:200", "WD-40 400 ml",
    "AA batteries LR6 24 pcs", "LEGO 42115 Lamborghini 3696 pieces", "Canon EOS R5 24-105mm F4", "Intel i9-14900K",
    "USB-C 100W 2m", "Air Max 90", "990v6", "Trail Shoe 10 Lane", "Sundial for Square Gardens", "Stroller 3 in 1",
    "Hill Climb Jacket 2.0", "Court Classic 84", "Coach Road 28 tyre 700x25C", "Terrace Heater 2000 W",
    "Close Shave 5 blades",
)  # fmt: skip
PRODUCT_NAMES_ZH = (
    "南京路同款旗袍", "长安街88周年纪念币", "5号电池24节", "7号球衣", "3号色口红", "小米15手机 12GB+256GB",
    "华为Mate70 5G", "8848钛金手机", "999感冒灵10袋", "三只松鼠坚果1688克", "双人被200x230cm", "501牛仔裤",
    "36-45码运动鞋", "2026款羽绒服", "1号店同款", "四件套1.8米床", "9层妖塔模型", "5层收纳架", "路由器AX3000",
    "街头霸王6", "花园水管20米", "3座沙发", "单元练习册3年级", "2室1厅模型屋",
)  # fmt: skip
PHRASES = (
    "I waited 12 minutes on the road", "it took 3 weeks to get to my street", "call 3 times a day",
    "3 of 10 in this lane are broken", "we are 5 people at the place", "20 pcs @ 5.99 each", "see page 12, row 4",
    "24/7 support", "the 2 drive wheels", "size M1 2XL", "我等了30分钟", "买了2条裤子3件衣服", "18号拍的，19号送到",
    "坐2号线去了1号店", "送到1层就走了", "12号下单14号到", "打8折满300减50", "走了20分钟的路", "第3单元第5课",
    "我买了两条1号的", "100路公交", "微信支付", "QQ糖", "电话没人接", "1.5倍积分",
)  # fmt: skip


def make_lookalikes(seed: int = SEED) -> Iterator[tuple[str, str]]:
    """(kind, text): each kind `EACH` times, within English and Chinese sentences and alone."""
    draw = random.Random(seed)
    for kind, make in MAKERS.items():
        for number in range(EACH):
            language = "zh" if number % 2 else "en"
            yield kind, draw.choice(SENTENCES[language]).format(make(draw))


def count_false_alarms(seed: int = SEED) -> tuple[Counter[str], int, list[str]]:
    """Texts by kind of which something was taken for personal, how many texts were tried, and some of them."""
    alarms: Counter[str] = Counter()
    tried, examples = 0, []
    for kind, text in make_lookalikes(seed):
        for regions in REGIONS:
            tried += 1
            found = detect_spans(text, regions)
            if found:
                alarms[kind] += 1
                examples.append(f"{regions[0]} {kind}: {text} -> {[(str(s.kind), s.value) for s in found]}")
    return alarms, tried, examples


if __name__ == "__main__":
    found, of, shown = count_false_alarms()
    print("\n".join(shown))
    print(f"seed {SEED}: {sum(found.values())} of {of} texts ({sum(found.values()) / of:.2%})")
    print(dict(found))
