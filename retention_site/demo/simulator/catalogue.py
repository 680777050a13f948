"""What the demo shop sells: 120 outdoor products in ten categories, named in English and Chinese."""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

SHOP_NAME = "Tarnside Outdoor"
SHOP_NAME_ZH = "山塘户外"
SHOP_URL = "https://tarnside.test"
CURRENCY = "EUR"


@dataclass(frozen=True)
class Category:
    """A shelf of the shop. `return_share` is the share of its lines that come back; prices are euro cents."""

    key: str
    label: str
    label_zh: str
    return_share: float
    products: tuple[tuple[str, str, int], ...]


CATEGORIES: tuple[Category, ...] = (
    Category("tents", "Tents", "帐篷", 0.05, (
        ("Tarn 2 Tent", "山塘双人帐篷", 24900), ("Tarn 3 Tent", "山塘三人帐篷", 32900),
        ("Fell Solo Tent", "荒原单人帐篷", 19900), ("Meadow Family Tent", "草地家庭帐篷", 44900),
        ("Ridge Storm Tent", "山脊防风帐篷", 52900), ("Pebble Tarp", "卵石天幕", 8900),
        ("Groundsheet 2", "双人地布", 3900), ("Groundsheet 3", "三人地布", 4900),
        ("Alloy Peg Set", "合金地钉套装", 1900), ("Guy Line Kit", "反光风绳套装", 1490),
        ("Seam Sealer", "帐篷缝胶", 1190), ("Lakeside Shelter", "湖边凉棚", 15900))),
    Category("sleeping", "Sleeping bags and mats", "睡袋与睡垫", 0.05, (
        ("Dusk Sleeping Bag", "暮色睡袋", 11900), ("Frost Down Bag", "霜降羽绒睡袋", 28900),
        ("Summer Quilt", "夏夜薄被", 7900), ("Cub Sleeping Bag", "小熊儿童睡袋", 5900),
        ("Feather Mat", "轻羽充气垫", 9900), ("Heath Foam Mat", "荒草泡沫垫", 3490),
        ("Double Air Mat", "双人充气垫", 14900), ("Silk Liner", "真丝内胆", 4990),
        ("Camp Pillow", "露营枕头", 2490), ("Compression Sack", "压缩收纳袋", 1990),
        ("Mat Repair Kit", "睡垫修补包", 990), ("Travel Blanket", "旅行毯", 4490))),
    Category("packs", "Backpacks", "背包", 0.07, (
        ("Scree 25 Daypack", "碎石二十五升背包", 8900), ("Scree 35 Pack", "碎石三十五升背包", 11900),
        ("Long Way 55 Pack", "长路五十五升背包", 17900), ("Long Way 70 Pack", "长路七十升背包", 20900),
        ("Brook Running Vest", "溪流越野背心", 9900), ("City Roll Pack", "城市卷口包", 7900),
        ("Sapling Kids Pack", "树苗儿童背包", 4490), ("Hip Pack 3", "三升腰包", 3490),
        ("Rain Cover", "背包防雨罩", 1990), ("Dry Bag 20", "二十升防水袋", 2290),
        ("Packing Cubes", "收纳分装袋", 2990), ("Child Carrier", "儿童背架", 22900))),
    Category("jackets", "Jackets", "外套", 0.16, (
        ("Squall Rain Jacket", "飑风雨衣", 16900), ("Squall Rain Jacket Women", "飑风女款雨衣", 16900),
        ("Hoar Down Jacket", "白霜羽绒服", 22900), ("Hoar Down Vest", "白霜羽绒马甲", 14900),
        ("Breeze Windshell", "微风防风衣", 8900), ("Moor Softshell", "荒野软壳衣", 12900),
        ("Wool Overshirt", "羊毛外搭衬衫", 10900), ("Puddle Kids Jacket", "水洼儿童雨衣", 5900),
        ("Storm Parka", "暴风派克大衣", 29900), ("Fleece Half-zip", "半拉链抓绒衣", 6900),
        ("Fleece Hoodie", "抓绒连帽衫", 7900), ("Poncho", "轻便雨披", 3990))),
    Category("layers", "Base layers and socks", "内层与袜子", 0.10, (
        ("Merino Shirt", "美利奴短袖", 5900), ("Merino Long Sleeve", "美利奴长袖", 6900),
        ("Merino Leggings", "美利奴紧身裤", 6490), ("Trek Trousers", "徒步长裤", 8900),
        ("Trail Shorts", "越野短裤", 4990), ("Hiking Socks", "徒步袜", 1790),
        ("Hiking Socks 3-Pack", "徒步袜三双装", 4490), ("Liner Gloves", "薄款手套", 2290),
        ("Winter Mitts", "冬季连指手套", 4990), ("Wool Beanie", "羊毛帽", 2490),
        ("Sun Cap", "遮阳帽", 2290), ("Neck Tube", "魔术头巾", 1490))),
    Category("shoes", "Boots and shoes", "鞋靴", 0.17, (
        ("Trail Runner 5", "越野跑鞋五代", 12900), ("Trail Runner 5 Women", "女款越野跑鞋五代", 12900),
        ("Cairn Hiking Boot", "石堆徒步靴", 17900), ("Cairn Mid Boot", "石堆中帮徒步鞋", 15900),
        ("Summit Boot", "山巅登山靴", 27900), ("Approach Shoe", "接近鞋", 13900),
        ("River Sandal", "溯溪凉鞋", 7900), ("Hut Slipper", "营地拖鞋", 4490),
        ("Kids Trail Shoe", "儿童越野鞋", 6490), ("Gaiters", "雪套", 3990),
        ("Insoles", "减震鞋垫", 2990), ("Boot Wax", "皮靴保养蜡", 1190))),
    Category("kitchen", "Camp kitchen", "户外炊具", 0.04, (
        ("Ember Gas Stove", "余烬气炉", 5900), ("Ember Duo Stove", "余烬双头炉", 11900),
        ("Pot Set for Two", "双人套锅", 6490), ("Titan Mug", "钛杯", 3490),
        ("Steel Bottle 0.75", "不锈钢水壶", 2790), ("Vacuum Flask 1.0", "保温壶", 3990),
        ("Water Filter", "便携滤水器", 4990), ("Cutlery Trio", "餐具三件套", 1690),
        ("Folding Bowl", "折叠碗", 1290), ("Coffee Dripper", "手冲咖啡架", 2490),
        ("Picnic Cooler", "野餐冷藏箱", 6900), ("Fire Bowl", "便携火盆", 8900))),
    Category("light", "Lights and navigation", "照明与导航", 0.04, (
        ("Owl Headlamp", "夜枭头灯", 4990), ("Owl Headlamp Pro", "夜枭专业头灯", 8900),
        ("Camp Lantern", "营地灯", 3990), ("String Lights", "营地灯串", 2490),
        ("Baseplate Compass", "底板指北针", 2990), ("Trail Watch", "越野手表", 24900),
        ("Power Bank 10", "一万毫安充电宝", 3490), ("Solar Panel 20", "二十瓦太阳能板", 8900),
        ("Whistle", "求生哨", 690), ("Bike Light Set", "自行车灯套装", 4490),
        ("Map Case", "地图防水套", 1490), ("Hand Warmer", "充电暖手宝", 2990))),
    Category("climbing", "Climbing", "攀岩", 0.06, (
        ("Granite Harness", "花岗岩安全带", 6900), ("Granite Helmet", "花岗岩头盔", 7490),
        ("Rope 60 m", "六十米主绳", 17900), ("Quickdraw Set", "快挂套装", 9900),
        ("Locking Carabiner", "丝扣主锁", 1490), ("Belay Device", "保护器", 3990),
        ("Chalk Bag", "镁粉袋", 1990), ("Chalk 200 g", "镁粉二百克", 890),
        ("Climbing Shoe", "攀岩鞋", 11900), ("Boulder Pad", "抱石垫", 18900),
        ("Sling 120", "扁带一米二", 1190), ("Finger Tape", "护指胶带", 590))),
    Category("kids", "Family and garden", "亲子与庭院", 0.06, (
        ("Explorer Kit", "小小探险家套装", 2990), ("Bug Viewer", "昆虫观察盒", 1690),
        ("Kids Binoculars", "儿童望远镜", 2490), ("Field Binoculars", "野外望远镜", 12900),
        ("Hammock", "吊床", 4990), ("Garden Swing", "庭院秋千", 7900),
        ("Kite", "风筝", 2290), ("Picnic Blanket", "野餐垫", 3490),
        ("Camp Chair", "露营椅", 4490), ("Camp Table", "露营桌", 6900),
        ("Bird Feeder", "喂鸟器", 2490), ("Trail Journal", "徒步手账", 1590))),
)  # fmt: skip

#: Invented makers; every shelf has all of them, the shop's own the most often.
BRANDS = (SHOP_NAME, "Fellwork", SHOP_NAME, "Hoarfrost", "Nordlicht", SHOP_NAME, "Cairn & Daughters")

PER_CATEGORY = 12
PRODUCT_COUNT = len(CATEGORIES) * PER_CATEGORY
PRICE_CENTS: NDArray[np.int64] = np.array([p[2] for c in CATEGORIES for p in c.products], dtype=np.int64)
RETURN_SHARE: NDArray[np.float64] = np.repeat([c.return_share for c in CATEGORIES], PER_CATEGORY)
SKUS: tuple[str, ...] = tuple(
    f"{category.key[:3].upper()}-{100 + number}" for category in CATEGORIES for number in range(1, PER_CATEGORY + 1)
)

# Within a shelf a few products make most of the sales.
_SHELF_SHARE = 1.0 / (np.arange(PER_CATEGORY) + 2.5)
_SHELF_CUMULATED = np.cumsum(_SHELF_SHARE / _SHELF_SHARE.sum())


def pick_products(categories: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    """One product (its row in the catalogue) of each of the given categories, popular ones more often."""
    place = np.searchsorted(_SHELF_CUMULATED, rng.random(len(categories)))
    # The popularity order turns from shelf to shelf, so that the first product is not everywhere the best seller.
    place = (np.minimum(place, PER_CATEGORY - 1) + 5 * categories) % PER_CATEGORY
    return categories * PER_CATEGORY + place


def build_products(seed: int) -> pl.DataFrame:
    """The catalogue: sku, name, name_zh, category, category_zh, brand, price (EUR), currency, stock, url."""
    rng = np.random.default_rng([seed, 1])
    stock = rng.negative_binomial(2, 0.02, PRODUCT_COUNT)
    stock[rng.random(PRODUCT_COUNT) < 0.05] = 0
    names = [product for category in CATEGORIES for product in category.products]
    return pl.DataFrame(
        {
            "sku": SKUS,
            "name": [name for name, _, _ in names],
            "name_zh": [name_zh for _, name_zh, _ in names],
            "category": np.repeat([c.label for c in CATEGORIES], PER_CATEGORY).tolist(),
            "category_zh": np.repeat([c.label_zh for c in CATEGORIES], PER_CATEGORY).tolist(),
            "brand": [BRANDS[place % len(BRANDS)] for place in range(PRODUCT_COUNT)],
            "price": money_series("price", PRICE_CENTS),
            "currency": [CURRENCY] * PRODUCT_COUNT,
            "stock": stock.astype(np.int64),
            "url": [f"{SHOP_URL}/p/{sku.lower()}" for sku in SKUS],
        }
    )


def money_series(name: str, cents: NDArray[np.int64]) -> pl.Series:
    """Exact decimals with two places from whole cents."""
    series = pl.Series(name, cents, dtype=pl.Int64).to_frame()
    return series.select((pl.col(name).cast(pl.Decimal(14, 2)) / 100).cast(pl.Decimal(14, 2))).to_series()


# The properties of events that need no number of their own, as JSON; events keep an index into this list.
VIEW_DETAIL, CART_DETAIL, SEARCH_DETAIL = 0, PRODUCT_COUNT, 2 * PRODUCT_COUNT
SEARCH_ZH_DETAIL = SEARCH_DETAIL + len(CATEGORIES)
PLAIN_DETAILS: tuple[str, ...] = (
    *(json.dumps({"sku": sku, "category": CATEGORIES[i // PER_CATEGORY].label}) for i, sku in enumerate(SKUS)),
    *(
        json.dumps({"items": [{"sku": sku, "quantity": 1}], "value": f"{PRICE_CENTS[i] / 100:.2f}", "currency": "EUR"})
        for i, sku in enumerate(SKUS)
    ),
    *(json.dumps({"query": c.label.lower(), "results": PER_CATEGORY}) for c in CATEGORIES),
    *(json.dumps({"query": c.label_zh, "results": PER_CATEGORY}, ensure_ascii=False) for c in CATEGORIES),
)
