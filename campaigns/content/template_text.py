"""Texts without a model: deterministic, plain, and labelled as what they are. Pure: no Django."""

from __future__ import annotations

from typing import Final

#: Subject and opening by why the customer leaves; %s is what they like, in words that fit into a sentence.
_ENGLISH: Final = {
    "rhythm": ("It has been a while", "It has been a while since your last order, and there is plenty new among our {likes}."),
    "frequency": ("Something new for you", "We have added to our {likes} since you last looked in."),
    "returns": ("Let us find what fits", "Not everything fitted last time. We are glad to help you choose among our {likes}."),
    "support": ("Thank you for telling us", "Thank you for telling us what went wrong. We have worked on it."),
    "discounts": ("Worth a look", "You know a good buy when you see one. Have a look at our {likes}."),
    "browsing": ("Still thinking about it?", "You had a look at our {likes}. They are still here, and we can help you choose."),
    "": ("Good to see you again", "There is plenty new among our {likes} since you were last here."),
}  # fmt: skip
_CHINESE: Final = {
    "rhythm": ("好久不见", "距离您上次下单有一段时间了，我们的{likes}又有了不少新品。"),
    "frequency": ("有新品想给您看看", "自您上次来访后，我们的{likes}增加了不少选择。"),
    "returns": ("一起找到合适的", "上次的商品不太合适。现在我们的{likes}款式更多，也很乐意帮您挑选。"),
    "support": ("谢谢您告诉我们", "谢谢您指出问题，我们已经改进。"),
    "discounts": ("值得一看", "您懂得挑选好物，不妨看看我们的{likes}。"),
    "browsing": ("还在考虑吗？", "您看过我们的{likes}，它们还在，我们可以帮您挑选。"),
    "": ("期待再次见到您", "自您上次来访后，我们的{likes}又有了不少新品。"),
}
_CLOSING: Final = {
    "en": {"preheader": "A few things we thought you might like", "invitation": "Come and have a look when you have a moment."},
    "zh": {"preheader": "几样您可能会喜欢的东西", "invitation": "有空时欢迎来看看。"},
}  # fmt: skip


#: By the angle of a text; where none is named here, by why the customer leaves.
_ENGLISH_ANGLES: Final = {
    "offer": ("Something for you", "We have put something aside for you. It is good for our {likes} too."),
    "short": ("Have a look", "New in our {likes}. See for yourself."),
    "opinion": ("What do you think?", "We would like to hear what you miss among our {likes}. Just reply and tell us."),
    "new": ("New arrivals", "There is plenty new among our {likes} since you were last here."),
    "help": ("May we help you choose?", "Not sure which of our {likes} is right? We are glad to help you choose."),
}  # fmt: skip
_CHINESE_ANGLES: Final = {
    "offer": ("给您留了一份心意", "我们为您准备了一份优惠，{likes}也可以用。"),
    "short": ("来看看吧", "{likes}有新品，欢迎来看。"),
    "opinion": ("想听听您的想法", "您觉得我们的{likes}还缺什么？回复这条消息告诉我们吧。"),
    "new": ("新品到了", "自您上次来访后，我们的{likes}又有了不少新品。"),
    "help": ("需要帮您挑选吗？", "不确定哪一款{likes}合适？我们很乐意帮您挑选。"),
}


def write_template_text(*, reason: str, likes: str, language: str, angle: str = "") -> dict[str, str]:
    """The slots of a text: subject, preheader, opening, story, invitation, button_label."""
    texts = _CHINESE if language == "zh" else _ENGLISH
    angles = _CHINESE_ANGLES if language == "zh" else _ENGLISH_ANGLES
    subject, opening = angles.get(angle) or texts.get(reason, texts[""])
    likes = likes or ("商品" if language == "zh" else "range")
    return {
        "subject": subject,
        "opening": opening.format(likes=likes),
        "story": "",
        "button_label": "去看看" if language == "zh" else "Have a look",
        **_CLOSING["zh" if language == "zh" else "en"],
    }
