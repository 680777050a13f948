"""How Chinese people are called besides their whole name: by the given name, or by the surname with a title. No Django here."""

import re
from typing import Final

HAN_NAME: Final = re.compile(r"[\u4e00-\u9fff]{2,5}")
#: Surnames of two characters; all others have one.
COMPOUND_SURNAME: Final = re.compile(
    "欧阳|歐陽|司马|司馬|上官|诸葛|諸葛|司徒|东方|東方|独孤|獨孤|南宫|南宮|夏侯|皇甫|尉迟|尉遲|公孙|公孫|慕容|令狐|宇文"
    "|长孙|長孫|轩辕|軒轅|端木|百里|呼延|东郭|東郭|西门|西門|申屠|太史|澹台|澹臺|钟离|鍾離|闻人|聞人|赫连|赫連|拓跋|第五"
)
TITLES: Final = (
    "先生", "女士", "小姐", "太太", "老师", "老師", "同学", "同學", "阿姨", "叔叔", "师傅", "師傅", "经理", "經理",
    "医生", "醫生",
)  # fmt: skip


def given_name_in_chinese(name: str) -> list[str]:
    """What friends say: 娜娜 of 欧阳娜娜, 小明 of 王小明. One character alone is an ordinary word and says nothing."""
    surname = read_surname(name)
    given = name[len(surname) :]
    return [given] if surname and len(given) >= 2 else []


def address_in_chinese(name: str) -> list[str]:
    """What shops say: 王先生, 欧阳小姐."""
    surname = read_surname(name)
    return [f"{surname}{title}" for title in TITLES] if surname else []


def read_surname(name: str) -> str:
    """ "" for what is no Chinese name, and for a given name that stands alone as far as its form can tell."""
    if not HAN_NAME.fullmatch(name):
        return ""
    return name[:2] if COMPOUND_SURNAME.match(name) and len(name) > 2 else name[:1]
