"""Texts without a model: deterministic, plain, and labelled as what they are. Pure: no Django.

They claim nothing that no fact bears out: not that anything is new, cheap or scarce. What differs between two kinds of
customer is why they leave and what they like; what differs between two texts of one kind is the angle.
"""

from __future__ import annotations

from typing import Final

from .template_phrases import Phrases, read_phrases

#: Angles that say their own opening; the others open with why the customer leaves.
_OWN_OPENING: Final = frozenset({"short", "opinion", "new", "help"})


def write_template_text(*, reason: str, likes: str, language: str, angle: str = "", step: int = 1) -> dict[str, str]:
    """The slots of a text: subject, preheader, opening, story, invitation, button_label.

    `reason` is a key of THEMES or "", `likes` a category in words or "", `angle` one of `Angle` or "". What is not known
    is written as if it were "". The opening stands by itself, because some channels have no other slot. From `step` 2 on it
    is a follow-up, which opens with another thought at each step.
    """
    phrases = read_phrases(language)
    wares = phrases.range_of.format(likes=likes) if likes else phrases.everything
    reason = reason if reason in phrases.reasons else ""
    words = _follow_up(phrases, reason, angle, step) if step > 1 else _choose_words(phrases, reason, angle)
    return {
        **{slot: text.format(wares=wares) for slot, text in words.items()},
        "preheader": (phrases.preheader_likes if likes else phrases.preheader).format(wares=wares),
        "invitation": phrases.invitation,
        "button_label": phrases.button,
    }


def _choose_words(phrases: Phrases, reason: str, angle: str) -> dict[str, str]:
    subject, opening = phrases.reasons[reason]
    if angle == "offer":
        return {"subject": phrases.offer_subjects.get(reason, phrases.offer_subject),
                "opening": phrases.offer_opening, "story": opening}  # fmt: skip
    if angle in _OWN_OPENING:
        own_subject, own_opening = phrases.angles[angle]
        return {"subject": own_subject, "opening": own_opening, "story": "" if angle == "short" else opening}
    return {"subject": subject, "opening": opening, "story": phrases.help_offer}


def _follow_up(phrases: Phrases, reason: str, angle: str, step: int) -> dict[str, str]:
    """The opening is the step's, what follows it the kind of customer's or the angle's."""
    subject, opening = phrases.follow_ups[(step - 2) % len(phrases.follow_ups)]
    own = {"offer": phrases.offer_opening, "short": ""} | {
        key: words for key, (_subject, words) in phrases.angles.items() if key != "short"
    }
    return {"subject": subject, "opening": opening, "story": own.get(angle, phrases.reasons[reason][1])}
