"""Has drafts written: the archetype's row is the queue, a language model or the template drafter the writer."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from typing import Any, Final

import structlog
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import F, Q
from django.utils.translation import gettext as _
from django.utils.translation import override

from campaigns.models import Archetype, Campaign, CampaignStatus, DraftStatus, Offer, Variant
from customers.features.catalogue import THEMES
from llm.client import complete
from llm.completion import Completion
from llm.configuration import configured_model
from llm.errors import ModelError, NotConfigured
from llm.masking import clean_untrusted
from llm.records import record_template_call

from .editing import write_variant
from .facts import build_facts
from .merge_tags import name_interest
from .prompts import find_prompt
from .template_text import write_template_text

log = structlog.get_logger(__name__)

PURPOSE: Final = "draft_message"
MOST_ATTEMPTS: Final = 3
LEASE: Final = dt.timedelta(minutes=5)
LABEL: Final = "A"


def request_drafts(
    target: Campaign | Iterable[Archetype], *, user: User, instruction: str = "", now: dt.datetime
) -> int:
    """Ask for a draft of all archetypes of a campaign, or of some; returns how many are now waiting.

    Those that are being drafted right now are left alone. Only in campaigns that are drafts: the caller has put an
    approved one back. Raises PermissionDenied for who may not change texts.
    """
    if not user.has_perm("campaigns.change_variant"):
        raise PermissionDenied
    found = Archetype.objects.filter(campaign__status=CampaignStatus.DRAFT)
    if isinstance(target, Campaign):
        found = found.filter(campaign=target)
    else:
        found = found.filter(pk__in=[archetype.pk for archetype in target])
    free = found.exclude(draft_status=DraftStatus.DRAFTING, draft_lease_until__gte=now)
    asked = free.update(
        draft_status=DraftStatus.REQUESTED, draft_instruction=clean_untrusted(instruction, 500), draft_error="",
        draft_attempts=0, draft_not_before=None, draft_lease_until=None,
    )  # fmt: skip
    log.info("drafts_requested", archetypes=asked, actor=user.pk)
    return asked


def archetypes_waiting(now: dt.datetime) -> list[int]:
    """Ids of the archetypes that a worker may draft now."""
    return list(Archetype.objects.waiting_for_draft(now).order_by("pk").values_list("pk", flat=True))


def draft_archetype(archetype_id: int, *, now: dt.datetime, with_model: bool = True) -> Variant | None:
    """Draft one archetype; None when somebody else has it, or when it failed (its row then says why).

    The claim is committed before the network is touched. A fault that may pass is tried again by the sweep, three
    times at most; anything else is `failed`, with a sentence for staff. `with_model` False takes the templates even
    where a model is configured: the demo shop's history must stand in a minute.
    """
    archetype = _claim(archetype_id, now)
    if archetype is None:
        return None
    try:
        completion, words = _write_words(archetype, now, with_model=with_model)
    except ModelError as error:
        _note_failure(archetype, error, now)
        return None
    except Exception:
        _settle(
            archetype, draft_status=DraftStatus.FAILED, draft_error=_("The draft failed. The worker's log says why.")
        )
        log.exception("draft_failed", archetype=archetype_id)
        return None
    return _store(archetype, completion, words, now)


def _claim(archetype_id: int, now: dt.datetime) -> Archetype | None:
    waiting = Archetype.objects.waiting_for_draft(now).filter(Q(campaign__status=CampaignStatus.DRAFT), pk=archetype_id)
    won = Archetype.objects.filter(pk__in=waiting.values("pk"), draft_attempts__lt=MOST_ATTEMPTS).update(
        draft_status=DraftStatus.DRAFTING, draft_lease_until=now + LEASE, draft_attempts=F("draft_attempts") + 1
    )
    if not won:
        waiting.filter(draft_attempts__gte=MOST_ATTEMPTS).update(
            draft_status=DraftStatus.FAILED, draft_error=_("The draft was tried three times and did not come.")
        )
        return None
    return Archetype.objects.select_related("campaign__segment").get(pk=archetype_id)


def _write_words(archetype: Archetype, now: dt.datetime, *, with_model: bool) -> tuple[Completion, dict[str, str]]:
    """The slots from the model, or from the templates where none is configured or wanted. Raises ModelError."""
    model = configured_model()
    prompt = find_prompt(archetype.language, is_capable=model.is_configured and not model.is_local)
    variables = _tell_model(archetype, now)
    if with_model:
        try:
            completion = complete(prompt, variables, purpose=PURPOSE, now=now)
        except NotConfigured:
            log.debug("no_model_configured", archetype=archetype.pk)
        else:
            return completion, {name: _tidy(str(value)) for name, value in completion.data.items()}
    # Only a category of the catalogue reads well in a sentence; a family that was found in product names does not.
    likes = name_interest(archetype.interest, archetype.language) if variables["wares"] else ""
    words = write_template_text(reason=archetype.reason, likes=likes, language=archetype.language)
    kept = {name: words.get(name, "") for name in prompt.schema["properties"]}
    return record_template_call(prompt, variables, kept, purpose=PURPOSE, now=now), words


def _tell_model(archetype: Archetype, now: dt.datetime) -> dict[str, Any]:
    """All that leaves the house: what the archetype has in common, never anything of one person, and no number."""
    facts = build_facts(archetype, now=now)
    theme = THEMES.get(archetype.reason)
    with override("zh-hans" if archetype.language == "zh" else "en"):
        reason = str(theme.meaning) if theme else ""
        kind = str(Offer.Kind(_offer_kind(archetype.campaign)).label)
    instructions = [archetype.campaign.instruction, archetype.draft_instruction]
    return {
        "shop": facts["shop"],
        "why_they_leave": reason,
        "what_they_like": archetype.interest,
        "offer_kind": kind,
        "wares": [clean_untrusted(ware["name"], 80) for ware in facts["products"]],
        "instruction": clean_untrusted(" ".join(filter(None, instructions)), 600),
    }


def _offer_kind(campaign: Campaign) -> str:
    return Offer.objects.filter(campaign=campaign).values_list("kind", flat=True).first() or Offer.Kind.NONE


def _tidy(text: str) -> str:
    return re.sub(r"[ \t]+", " ", clean_untrusted(text, 2_000)).strip()


def _store(archetype: Archetype, completion: Completion, words: dict[str, str], now: dt.datetime) -> Variant | None:
    """Write the variant and release the row, unless the campaign left `draft` meanwhile: then the draft is dropped."""
    fields = {name: words.get(name, "") for name in ("subject", "preheader", "opening", "story", "invitation")}
    fields["button_label"] = words.get("button_label", "")
    with transaction.atomic():
        campaign = Campaign.objects.select_for_update().get(pk=archetype.campaign_id)
        if campaign.status != CampaignStatus.DRAFT:
            _settle(archetype, draft_status=DraftStatus.NONE, draft_error="")
            return None
        variant = Variant.objects.filter(archetype=archetype, label=LABEL).first()
        variant = variant or Variant(archetype=archetype, label=LABEL)
        variant.archetype = archetype
        variant.origin = Variant.Origin.TEMPLATE if completion.is_template else Variant.Origin.MODEL
        variant.prompt_name, variant.prompt_version = completion.prompt_name, completion.prompt_version
        variant.model_label, variant.llm_request_id = completion.label, completion.call_id
        variant.drafted_text, variant.edited_by, variant.edited_at = fields, None, None
        write_variant(variant, fields, user=None, now=now)
        _settle(archetype, draft_status=DraftStatus.DRAFTED, draft_error="")
    log.info("draft_written", archetype=archetype.pk, variant=variant.pk, is_template=completion.is_template)
    return variant


def _note_failure(archetype: Archetype, error: ModelError, now: dt.datetime) -> None:
    """Again later for what may pass, failed with its sentence for the rest."""
    if error.is_retryable and archetype.draft_attempts < MOST_ATTEMPTS:
        wait = max(error.retry_after_s or 0.0, 15.0 * 2.0**archetype.draft_attempts)
        _settle(
            archetype, draft_status=DraftStatus.REQUESTED, draft_error=error.staff_message[:500],
            draft_not_before=now + dt.timedelta(seconds=min(wait, 900.0)),
        )  # fmt: skip
    else:
        _settle(archetype, draft_status=DraftStatus.FAILED, draft_error=error.staff_message[:500])
    log.warning("draft_not_written", archetype=archetype.pk, outcome=str(error.outcome))


def _settle(archetype: Archetype, **fields: Any) -> None:
    Archetype.objects.filter(pk=archetype.pk, draft_status=DraftStatus.DRAFTING).update(
        draft_lease_until=None, **fields
    )
