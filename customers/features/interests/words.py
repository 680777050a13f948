"""Words of product names, categories and searches, in scripts with and without spaces between words."""

from __future__ import annotations

from typing import Final

import polars as pl

#: Plain shop words in both languages, for shops whose catalogue speaks one and whose customers search in the other.
#: Chinese words have two characters, as the pieces do into which Chinese text is cut.
WORD_PAIRS: Final[tuple[tuple[str, str], ...]] = (
    ("外套", "jacket"), ("夹克", "jacket"), ("雨衣", "rain"), ("大衣", "coat"), ("衬衫", "shirt"), ("裤子", "trouser"),
    ("长裤", "trouser"), ("短裤", "short"), ("袜子", "sock"), ("内衣", "underwear"), ("内层", "layer"), ("裙子", "skirt"),
    ("连衣", "dress"), ("毛衣", "sweater"), ("手套", "glove"), ("帽子", "hat"), ("围巾", "scarf"), ("鞋子", "shoe"),
    ("靴子", "boot"), ("凉鞋", "sandal"), ("拖鞋", "slipper"), ("背包", "backpack"), ("包包", "bag"), ("钱包", "wallet"),
    ("帐篷", "tent"), ("睡袋", "sleeping"), ("睡垫", "mat"), ("炊具", "kitchen"), ("厨房", "kitchen"), ("餐具", "cutlery"),
    ("杯子", "mug"), ("茶具", "tea"), ("水壶", "bottle"), ("灯具", "lamp"), ("照明", "light"), ("头灯", "headlamp"),
    ("导航", "navigation"), ("攀岩", "climbing"), ("跑步", "running"), ("徒步", "hiking"), ("露营", "camp"), ("骑行", "bike"),
    ("自行", "bike"), ("儿童", "kid"), ("婴儿", "baby"), ("玩具", "toy"), ("家庭", "family"), ("亲子", "family"),
    ("花园", "garden"), ("庭院", "garden"), ("家具", "furniture"), ("椅子", "chair"), ("桌子", "table"), ("床品", "bedding"),
    ("蜡烛", "candle"), ("装饰", "decoration"), ("礼物", "gift"), ("礼品", "gift"), ("卡片", "card"), ("文具", "stationery"),
    ("书籍", "book"), ("手表", "watch"), ("首饰", "jewellery"), ("香水", "perfume"), ("护肤", "skin"), ("手机", "phone"),
    ("电脑", "computer"), ("耳机", "headphone"), ("相机", "camera"), ("食品", "food"), ("咖啡", "coffee"), ("宠物", "pet"),
)  # fmt: skip

#: Words that join others and name nothing.
JOINING_WORDS: Final = ("and", "or", "for", "the", "with", "of", "in", "on", "to", "my", "by", "und", "für", "mit")

WORD, PIECE, SIGN = 1, 1, 2

_LATIN = r"[\p{L}&&[^\p{Han}]][\p{L}\p{N}&&[^\p{Han}]]+"


def split_words(frame: pl.DataFrame, column: str) -> pl.DataFrame:
    """Every word of `column` once per row of `frame`: its other columns, token, tier.

    Tier 1 holds words of scripts with spaces (lower case, without a plural ending) and pairs of neighbouring Chinese
    characters; tier 2 single Chinese characters, which say less and are asked only where no pair is known.
    """
    others = [name for name in frame.columns if name != column]
    text = pl.col(column).str.to_lowercase()
    han = frame.select(*others, run=text.str.extract_all(r"\p{Han}+")).explode("run", empty_as_null=True)
    han = han.drop_nulls("run")
    parts = [
        _explode(frame, others, text.str.extract_all(_LATIN), WORD).with_columns(_strip_plural(pl.col("token"))),
        _explode(han, others, pl.col("run").str.extract_all(r"\p{Han}{2}"), PIECE),
        _explode(han, others, pl.col("run").str.slice(1).str.extract_all(r"\p{Han}{2}"), PIECE),
        _explode(han, others, pl.col("run").str.extract_all(r"\p{Han}"), SIGN),
    ]
    return pl.concat(parts).filter(~pl.col("token").is_in(JOINING_WORDS)).unique()


def translate_words(tokens: pl.DataFrame) -> pl.DataFrame:
    """`tokens` (with a column token) and beside them what they are called in the other language.

    The column `source` says of which word of the text each is.
    """
    tokens = tokens.with_columns(source="token")
    both = [*WORD_PAIRS, *((english, chinese) for chinese, english in WORD_PAIRS)]
    pairs = pl.DataFrame(both, schema={"token": pl.String, "other": pl.String}, orient="row")
    translated = tokens.join(pairs, on="token", how="inner").drop("token").rename({"other": "token"})
    return pl.concat([tokens, translated.select(tokens.columns)]).unique()


def _explode(frame: pl.DataFrame, others: list[str], pieces: pl.Expr, tier: int) -> pl.DataFrame:
    exploded = frame.select(*others, token=pieces).explode("token", empty_as_null=True).drop_nulls("token")
    return exploded.with_columns(tier=pl.lit(tier))


def _strip_plural(token: pl.Expr) -> pl.Expr:
    return token.str.replace(r"(ss|x|ch|sh)es$", "$1").str.replace(r"([^s])s$", "$1")
