"""What the shop promises to everybody: sentences per language, the revision that counts, and saving a new one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import connection
from django.utils.translation import gettext as _

from campaigns.models import CampaignStatus, ShopPolicies

from .revisions import add_revision, read_newest
from .tidying import tidy_line
from .voice import LANGUAGES, clean_note

MOST_SENTENCES: Final = 30
#: A claim keeps the whole sentence that it stands on (`ledger` cuts at this length).
LONGEST_SENTENCE: Final = 200


@dataclass(frozen=True)
class Use:
    """How many texts claim a sentence: of campaigns that are still to be sent, and of others."""

    waiting: int = 0
    done: int = 0


def clean_policies(given: Any) -> list[str]:
    """The sentences of one language, without empty ones and doubles. Raises ValidationError with what is wrong."""
    if not isinstance(given, Sequence) or isinstance(given, str) or not all(isinstance(one, str) for one in given):
        raise ValidationError(_("This has to be a list of texts."))
    lines = [tidy_line(one) for one in given]
    sentences = list(dict.fromkeys(line for line in lines if line))
    told = [
        _("“%(words)s …” is too long: at most %(most)d characters.") % {"words": line[:30], "most": LONGEST_SENTENCE}
        for line in sentences
        if len(line) > LONGEST_SENTENCE
    ]
    told += [
        _("“%(words)s …” holds a merge tag. A promise to everybody is the same for everybody.") % {"words": line[:30]}
        for line in sentences
        if "{{" in line or "{%" in line
    ]
    if len(sentences) > MOST_SENTENCES:
        told.append(_("At most %(n)d: leave out what matters least.") % {"n": MOST_SENTENCES})
    if told:
        raise ValidationError(told)
    return sentences


def read_policies() -> ShopPolicies | None:
    """The revision that counts; None before the first."""
    return read_newest(ShopPolicies)


def add_policies(user: User, texts: Mapping[str, Any], *, base: int, note: str = "", now: dt.datetime) -> ShopPolicies:
    """Save a revision. A language that is not given stays as in revision `base`. Raises as `clean_policies` (a dict by
    language) and `add_revision` do. `approval.voice` asks for the right and checks texts again."""
    before = ShopPolicies.objects.filter(number=base).first()
    cleaned = {language: before.texts.get(language, []) if before else [] for language in LANGUAGES}
    faults = {}
    for language, given in texts.items():
        if language not in LANGUAGES:
            faults[language] = [_("This language is not known: %(language)s.") % {"language": language[:20]}]
            continue
        try:
            cleaned[language] = clean_policies(given)
        except ValidationError as error:
            faults[language] = error.messages
    if faults:
        raise ValidationError(faults)
    return add_revision(ShopPolicies, base=base, texts=cleaned, note=clean_note(note), saved_by=user, saved_at=now)


def count_policy_claims() -> dict[str, Use]:
    """How many texts claim each sentence, by its words; one query, whatever their number."""
    done = [CampaignStatus.SENDING, CampaignStatus.PAUSED, CampaignStatus.SENT, CampaignStatus.CANCELLED]
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT claim->>'says',
                   count(DISTINCT v.id) FILTER (WHERE NOT k.status = ANY(%s)),
                   count(DISTINCT v.id) FILTER (WHERE k.status = ANY(%s))
            FROM campaigns_variant v
            JOIN campaigns_archetype a ON a.id = v.archetype_id
            JOIN campaigns_campaign k ON k.id = a.campaign_id
            CROSS JOIN LATERAL jsonb_array_elements(
                CASE WHEN jsonb_typeof(v.claims) = 'array' THEN v.claims ELSE '[]' END
            ) AS claim
            WHERE claim->>'fact' = 'policy' AND v.retired_at IS NULL
            GROUP BY 1
            """,
            [done, done],
        )
        return {says: Use(waiting, others) for says, waiting, others in cursor.fetchall()}
