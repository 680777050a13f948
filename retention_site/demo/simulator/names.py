"""Where the demo shop's customers live and what they are called."""

from __future__ import annotations

from dataclasses import dataclass

ENGLISH = "en"
CHINESE = "zh-hans"


@dataclass(frozen=True)
class Place:
    """A city with customers. `share` is its part of the shop, `trouble` its chance of a bad delivery per order."""

    city: str
    country: str
    time_zone: str
    language: str
    names: str
    share: float
    trouble: float


PLACES: tuple[Place, ...] = (
    Place("London", "United Kingdom", "Europe/London", ENGLISH, "english", 0.15, 0.06),
    Place("Manchester", "United Kingdom", "Europe/London", ENGLISH, "english", 0.08, 0.06),
    Place("Edinburgh", "United Kingdom", "Europe/London", ENGLISH, "english", 0.06, 0.08),
    Place("Dublin", "Ireland", "Europe/Dublin", ENGLISH, "english", 0.05, 0.07),
    Place("Berlin", "Germany", "Europe/Berlin", ENGLISH, "german", 0.09, 0.05),
    Place("Munich", "Germany", "Europe/Berlin", ENGLISH, "german", 0.07, 0.05),
    Place("Vienna", "Austria", "Europe/Vienna", ENGLISH, "german", 0.03, 0.06),
    Place("New York", "United States", "America/New_York", ENGLISH, "english", 0.09, 0.10),
    Place("Denver", "United States", "America/Denver", ENGLISH, "english", 0.05, 0.10),
    Place("Sydney", "Australia", "Australia/Sydney", ENGLISH, "english", 0.03, 0.13),
    Place("Shanghai", "China", "Asia/Shanghai", CHINESE, "chinese", 0.10, 0.09),
    Place("Hangzhou", "China", "Asia/Shanghai", CHINESE, "chinese", 0.06, 0.09),
    Place("Shenzhen", "China", "Asia/Shanghai", CHINESE, "chinese", 0.04, 0.09),
    Place("Singapore", "Singapore", "Asia/Singapore", CHINESE, "chinese", 0.03, 0.07),
    Place("Singapore", "Singapore", "Asia/Singapore", ENGLISH, "pinyin", 0.02, 0.07),
    Place("Taipei", "Taiwan", "Asia/Taipei", CHINESE, "chinese", 0.03, 0.10),
    Place("London", "United Kingdom", "Europe/London", CHINESE, "chinese", 0.02, 0.06),
)

ZONES: tuple[str, ...] = tuple(dict.fromkeys(place.time_zone for place in PLACES))

_ENGLISH_FIRST = (
    "Olivia Amelia Isla Ava Grace Freya Florence Evie Alice Harriet Imogen Rosie Beth Niamh Megan Hannah Zoe Claire "
    "Priya Leah Oliver Noah George Arthur Harry Jack Oscar Leo Henry Theo Callum Rory Ewan Liam Daniel Marcus Tom "
    "Samir Owen Patrick"
)
_ENGLISH_LAST = (
    "Smith Jones Taylor Brown Williams Wilson Johnson Davies Patel Robinson Wright Thompson Evans Walker White Roberts "
    "Green Hall Wood Jackson Clarke Murphy Kelly Byrne Campbell Stewart Morrison Fraser Okafor Ahmed Hughes Foster "
    "Miller Garcia Bennett Marsh Holloway Pearce Lindqvist Nguyen"
)
_GERMAN_FIRST = (
    "Anna Lena Marie Sophie Laura Katharina Julia Greta Frieda Johanna Miriam Svenja Lukas Jonas Felix Maximilian Paul "
    "Moritz Tobias Stefan Jan Matthias Emil Niklas"
)
_GERMAN_LAST = (
    "Müller Schmidt Schneider Fischer Weber Meyer Wagner Becker Schulz Hoffmann Koch Richter Klein Wolf Schröder "
    "Neumann Braun Krüger Hartmann Lange Vogel Winkler Bauer Yilmaz"
)
# Characters and pinyin side by side: names are shown in characters, addresses are written in pinyin.
_CHINESE_GIVEN = (
    "伟:wei 芳:fang 娜:na 敏:min 静:jing 丽:li 强:qiang 磊:lei 洋:yang 艳:yan 勇:yong 杰:jie 娟:juan 涛:tao 明:ming "
    "超:chao 霞:xia 平:ping 欣怡:xinyi 子涵:zihan 梓轩:zixuan 雨桐:yutong 浩然:haoran 思远:siyuan 佳琪:jiaqi "
    "晨曦:chenxi 雅婷:yating 志强:zhiqiang 文博:wenbo 嘉豪:jiahao 诗涵:shihan 建国:jianguo 晓东:xiaodong 若曦:ruoxi"
)
_CHINESE_FAMILY = (
    "王:wang 李:li 张:zhang 刘:liu 陈:chen 杨:yang 黄:huang 赵:zhao 吴:wu 周:zhou 徐:xu 孙:sun 马:ma 朱:zhu 胡:hu "
    "郭:guo 何:he 林:lin 高:gao 罗:luo 郑:zheng 梁:liang 谢:xie 宋:song 唐:tang 许:xu 韩:han 冯:feng 邓:deng 曹:cao "
    "彭:peng 曾:zeng 肖:xiao 田:tian 董:dong 潘:pan 袁:yuan 蔡:cai 蒋:jiang 余:yu 叶:ye 程:cheng"
)
_ASCII = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})


def _plain_pool(words: str) -> list[tuple[str, str]]:
    return [(word, word.lower().translate(_ASCII)) for word in words.split()]


def _paired_pool(pairs: str, *, show_pinyin: bool = False) -> list[tuple[str, str]]:
    split = [pair.split(":") for pair in pairs.split()]
    return [(latin.title() if show_pinyin else characters, latin) for characters, latin in split]


# (first names, last names), each as (as shown, as written in an address)
NAME_POOLS: dict[str, tuple[list[tuple[str, str]], list[tuple[str, str]]]] = {
    "english": (_plain_pool(_ENGLISH_FIRST), _plain_pool(_ENGLISH_LAST)),
    "german": (_plain_pool(_GERMAN_FIRST), _plain_pool(_GERMAN_LAST)),
    "chinese": (_paired_pool(_CHINESE_GIVEN), _paired_pool(_CHINESE_FAMILY)),
    "pinyin": (_paired_pool(_CHINESE_GIVEN, show_pinyin=True), _paired_pool(_CHINESE_FAMILY, show_pinyin=True)),
}
MAIL_DOMAINS: tuple[str, ...] = ("mail.test", "post.test", "inbox.test", "letters.test")
