"""How the demo shop speaks, and what it promises to everybody."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, Final

from django.contrib.auth.models import User

from campaigns.approval.voice import save_policies, save_voice
from retention_site.demo.people import APPROVER, SITE_ADMIN, Person

POLICIES: Final[Mapping[str, list[str]]] = {
    "en": [
        "Free returns within 30 days",
        "Free delivery on orders from €75",
        "Two years' warranty on tents and packs",
        "Repairs in our own workshop",
    ],
    "zh": ["30 天内免费退货", "订单满 €75 免运费", "帐篷和背包保修两年", "自有工坊提供维修"],
}
#: The voice with which the shop began.
FIRST_VOICE: Final[Mapping[str, Mapping[str, Any]]] = {
    "en": {
        "personality": "A mountain guide who has been out in all weathers: dry, kind, never in a hurry.",
        "do": ["Name the thing before the offer", "Write as you would talk across the counter"],
        "dont": ["Make anybody feel guilty for having been away", "Promise an adventure"],
        "examples": ["The hills are still there, and so are we.", "A dry tent is half a good night."],
        "banned": ["cheap", "world's best", "once in a lifetime", "guaranteed"],
        "avoid": ["amazing", "exclusive"],
        "limits": {"sentence_length": 26, "exclamation_marks": 1},
    },
    "zh": {
        "personality": "像一位走过许多山路的向导：朴实、亲切，从不催促。",
        "do": ["先说东西，再说优惠", "像在柜台前聊天那样写"],
        "dont": ["让人因为久未光临而内疚", "夸口说会有一场奇遇"],
        "examples": ["山还在那里，我们也在。", "帐篷干爽，一夜安睡。"],
        "banned": ["全网最低", "史上最低", "便宜货", "绝对"],
        "avoid": ["宝贝", "尊享"],
        "limits": {"sentence_length": 45, "exclamation_marks": 1, "address": "您"},
    },
}
#: And what the complaints of the autumn taught it.
PRESSURE: Final[Mapping[str, tuple[str, ...]]] = {
    "en": ("last chance", "hurry", "don't miss out"),
    "zh": ("最后机会", "错过不再", "手慢无"),
}


def set_the_tone(users: Mapping[Person, User], *, now: dt.datetime) -> None:
    """The first voice and the policies, by the admin."""
    save_voice(users[SITE_ADMIN], FIRST_VOICE, base=0, note="How we have always talked", now=now)
    save_policies(users[SITE_ADMIN], POLICIES, base=0, note="As in the shop in Leith", now=now)


def refine_voice(users: Mapping[Person, User], *, now: dt.datetime) -> None:
    """The second, by the approver: no pressure, no emoji but one."""
    save_voice(users[APPROVER], second_voice(), base=1, note="No pressure: three people complained of it", now=now)


def second_voice() -> dict[str, dict[str, Any]]:
    """The voice that counts today."""
    return {
        language: {
            **voice,
            "banned": [*voice["banned"], *PRESSURE[language]],
            "limits": {**voice["limits"], "emoji": 1},
        }
        for language, voice in FIRST_VOICE.items()
    }
