"""Archetypes of a campaign that get the same text, or nearly: then they are one archetype, or one text misses its people. And
messages of a sequence that say again what one before them said to the same people.

Asked anew whenever a page shows the texts, and kept nowhere: a finding that is stored with one text would be stale as soon
as the other is edited. It costs no query beside those that read the texts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from campaigns.audience.archetypes import label_archetype
from campaigns.models import Archetype, Variant

from .channels import find_writer
from .editing import read_plainly
from .findings import Finding
from .likeness import find_alike

CODE = "duplicate"

#: A text with its archetype.
Text = tuple[Archetype, Variant]


def find_twins(archetypes: Iterable[Archetype]) -> Mapping[int, Finding]:
    """A warning for each variant (by its id) whose text another archetype has too at the same step, or which repeats an
    earlier step of its own archetype; `variants` should be prefetched.

    Only archetypes of one language and channel are compared: the same words by e-mail and as a text message are meant.
    """
    found: dict[int, Finding] = {}
    groups: dict[tuple[str, str], list[Text]] = defaultdict(list)
    for archetype in archetypes:
        groups[archetype.channel, archetype.language] += [(archetype, text) for text in archetype.variants.all()]
    for group in groups.values():
        twins: dict[int, list[int]] = defaultdict(list)
        repeats: dict[int, int] = {}
        for one, other, _likeness in find_alike([_words_of(archetype, text) for archetype, text in group]):
            if _is_repeat(group[one], group[other]):
                later, earlier = sorted((one, other), key=lambda place: -group[place][1].step)
                repeats[later] = min(repeats.get(later, earlier), earlier, key=lambda place: group[place][1].step)
            elif _are_twins(group[one], group[other]):
                twins[one].append(other)
                twins[other].append(one)
        for place, others in twins.items():
            found[group[place][1].pk] = _tell(group[place][1], [group[other] for other in others])
        for place, earlier in repeats.items():
            found[group[place][1].pk] = _tell_repeat(group[earlier][1])
    return found


def _is_repeat(one: Text, other: Text) -> bool:
    return one[0].pk == other[0].pk and one[1].step != other[1].step


def _are_twins(one: Text, other: Text) -> bool:
    return one[0].pk != other[0].pk and one[1].step == other[1].step


def _words_of(archetype: Archetype, text: Variant) -> str:
    parts = find_writer(archetype.channel).parts
    words = read_plainly(text, [part for part in parts if part not in {"preheader", "button_label"}])
    return "\n".join(words.values())


def _tell_repeat(earlier: Variant) -> Finding:
    message = _("It says nearly the same as step %(step)d, to the same people. Give this step a thought of its own.")
    return Finding(CODE, "warn", "", message % {"step": earlier.step})


def _tell(text: Variant, twins: list[Text]) -> Finding:
    others = list(dict.fromkeys(label_archetype(archetype) for archetype, _text in twins))
    names = ", ".join(f"“{name}”" for name in others[:2])
    if more := len(others) - 2 if len(others) > 2 else 0:
        names = ngettext("%(names)s and %(n)d more", "%(names)s and %(n)d more", more) % {"names": names, "n": more}
    is_template = text.origin == Variant.Origin.TEMPLATE and any(
        other.origin == Variant.Origin.TEMPLATE for _archetype, other in twins
    )
    message = (
        _("The template says nearly the same to %(names)s. Merge them under Audience, or write one of them anew.")
        if is_template
        else _("%(names)s would read nearly the same text. Merge them under Audience, or tell each what is theirs.")
    )
    return Finding(CODE, "warn", "", message % {"names": names})
