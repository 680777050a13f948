"""The phrases of template texts, by language. {wares} is what the customer likes, in words that fit into a sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Phrases:
    """One language. `reasons` (by theme, "" for any): subject and opening; `angles`: the same for those that open alone;
    `follow_ups`: the same for the second message of a sequence and those after it."""

    range_of: str
    everything: str
    reasons: Mapping[str, tuple[str, str]]
    angles: Mapping[str, tuple[str, str]]
    follow_ups: Sequence[tuple[str, str]]
    offer_subjects: Mapping[str, str]
    offer_subject: str
    offer_opening: str
    help_offer: str
    preheader: str
    preheader_likes: str
    invitation: str
    button: str


def read_phrases(language: str) -> Phrases:
    """Chinese where the language is "zh", else English."""
    return CHINESE if language == "zh" else ENGLISH


ENGLISH: Final = Phrases(
    range_of="our {likes}",
    everything="our shop",
    reasons={
        "rhythm": (
            "It has been a while",
            "It has been a while since your last order. Have a look at {wares} when it suits you.",
        ),
        "frequency": (
            "Come and see us again",
            "Thank you for shopping with us. We would be glad to see you again: have a look at {wares}.",
        ),
        "value": ("Take your time", "Take your time over {wares}. If a question comes up, we are glad to answer it."),
        "newness": ("Good that you found us", "You are still getting to know us. A good place to start is {wares}."),
        "basket": (
            "Something to go with it",
            "Perhaps you will find what goes with the things you have already. Have a look at {wares}.",
        ),
        "returns": (
            "Let us find what fits",
            "We would like you to find what fits. Tell us what you need, and we will help you choose.",
        ),
        "support": (
            "We are here for you",
            "If anything is still open, just reply to us. And have a look at {wares} if you like.",
        ),
        "discounts": ("Worth a look", "If you enjoy a good find, have a look at {wares}."),
        "browsing": (
            "Still looking around?",
            "If you are still looking around, have a look at {wares}. We are glad to help you choose.",
        ),
        "email": (
            "Just a short note",
            "Just a short note to say hello. You find {wares} behind the button whenever you like.",
        ),
        "season": ("Ready when you are", "Whatever you are planning next, {wares} may be a good place to begin."),
        "": ("How have you been?", "We would be glad to see you again. Have a look at {wares} when you have a moment."),
    },
    angles={
        "short": ("A quick hello", "A quick hello from us. Have a look at {wares}."),
        "opinion": ("What do you think?", "We would like to hear what you miss in {wares}. Just reply and tell us."),
        "new": ("Have you seen this?", "Have a look at what is in {wares} at the moment."),
        "help": (
            "May we help you choose?",
            "Not sure which one is right? We are glad to help you choose from {wares}.",
        ),
    },
    follow_ups=(
        ("A better moment?", "Perhaps this is a better moment."),
        ("Where to begin", "Tell us what you are looking for, and we will help you find it."),
        ("Make a list", "Make a list of what you need, and go through it at your ease."),
        ("How can we make it easier?", "If anything kept you from ordering, we would like to hear it."),
        ("The door is open", "We are here whenever you need something."),
        ("Ask us first", "A question about size or care? Ask us first: that is what we are here for."),
        ("Until another time", "We do not want to fill your inbox. You know where to find us."),
    ),
    offer_subjects={
        "rhythm": "It has been a while: something for you",
        "frequency": "Something for your next visit",
        "newness": "A small welcome for you",
        "returns": "Something for your next try",
        "support": "A small thank-you",
        "discounts": "Something for you to use",
        "browsing": "Still looking? Something for you",
        "email": "A short note, and something for you",
    },
    offer_subject="Something for you",
    offer_opening="We have put something aside for you: you find it just below.",
    help_offer="Not sure which one is right? Just reply to this message, and we will help you choose.",
    preheader="A few lines from us",
    preheader_likes="A few lines about {wares}",
    invitation="Come and have a look when you have a moment.",
    button="Have a look",
)

CHINESE: Final = Phrases(
    range_of="我们的{likes}",
    everything="我们的商店",
    reasons={
        "rhythm": ("好久不见", "距离您上次下单有一段时间了。有空时，欢迎来看看{wares}。"),
        "frequency": ("欢迎再来看看", "感谢您选择我们。期待您再次光临，欢迎看看{wares}。"),
        "value": ("慢慢挑，不着急", "您可以慢慢挑选{wares}。如有疑问，我们很乐意为您解答。"),
        "newness": ("很高兴认识您", "您可能还在慢慢了解我们，不妨先从{wares}看起。"),
        "basket": ("也许正好搭配", "也许能找到与您已有物品相配的东西，欢迎看看{wares}。"),
        "returns": ("一起找到合适的", "希望您能找到真正合适的商品。告诉我们您的需要，我们来帮您挑选。"),
        "support": ("我们一直都在", "如果还有没解决的问题，请直接回复我们。也欢迎看看{wares}。"),
        "discounts": ("值得一看", "如果您喜欢淘到好物的感觉，不妨看看{wares}。"),
        "browsing": ("还在挑选吗？", "如果您还在挑选，欢迎看看{wares}，我们很乐意帮您拿主意。"),
        "email": ("简单问候一声", "简单问候一声。想看{wares}时，点下面的按钮就好。"),
        "season": ("等您准备好", "不论接下来有什么打算，都可以先从{wares}看起。"),
        "": ("近来可好？", "期待再次见到您。有空时，欢迎来看看{wares}。"),
    },
    angles={
        "short": ("问候一声", "向您问候一声，欢迎看看{wares}。"),
        "opinion": ("想听听您的想法", "您觉得{wares}还缺什么？直接回复告诉我们吧。"),
        "new": ("您看过了吗？", "来看看{wares}现在有些什么。"),
        "help": ("需要帮您挑选吗？", "不确定哪一款合适？我们很乐意帮您从{wares}中挑选。"),
    },
    follow_ups=(
        ("现在方便吗？", "也许现在是更合适的时候。"),
        ("从哪里看起", "告诉我们您在找什么，我们帮您找到。"),
        ("列个清单吧", "把需要的东西列个清单，慢慢对照着看。"),
        ("怎样会更方便？", "如果有什么让您犹豫，我们很想听您说说。"),
        ("门一直开着", "需要什么的时候，我们都在。"),
        ("先问问我们", "对尺寸或保养有疑问？先问问我们，我们就是为此而在的。"),
        ("改日再会", "我们不想打扰您。需要时，您知道在哪里找到我们。"),
    ),
    offer_subjects={
        "rhythm": "好久不见，给您留了一份心意",
        "frequency": "为您的下次光临准备",
        "newness": "给您的一份见面礼遇",
        "returns": "为您的下一次挑选准备",
        "support": "一份小小的谢意",
        "discounts": "给您的一份优惠",
        "browsing": "还在挑选？给您留了一份心意",
        "email": "简单问候，附上一份心意",
    },
    offer_subject="给您留了一份心意",
    offer_opening="我们为您准备了一份优惠，就在下面。",
    help_offer="不确定哪一款合适？直接回复这条消息，我们来帮您挑选。",
    preheader="给您的几句话",
    preheader_likes="聊聊{wares}",
    invitation="有空时欢迎来看看。",
    button="去看看",
)
