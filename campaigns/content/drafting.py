"""Has drafts written: the archetype's row is the queue, a language model or the template drafter the writer."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Collection, Iterable
from typing import Any, Final

import structlog
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import F, Q
from django.utils.translation import gettext_noop

from campaigns.models import Archetype, Campaign, CampaignStatus, DraftStatus, Variant
from llm.errors import ModelError
from llm.masking import clean_untrusted
from llm.retrying import wait_before_retry

from .editing import EDITABLE_FIELDS, write_variant
from .former import keep_former
from .plans import PlannedText, add_to_plan, as_translation, plan_all, plan_one, read_plan, write_plan
from .steps import FIRST_STEP
from .writing import NoText, Written, write_text

log = structlog.get_logger(__name__)

MOST_ATTEMPTS: Final = 3
LEASE: Final = dt.timedelta(minutes=5)


class LeaseLost(Exception):
    """Another worker has taken the row meanwhile: what this one still had to write is that one's now."""


def request_drafts(
    target: Campaign | Iterable[Archetype],
    *,
    user: User,
    instruction: str = "",
    count: int | None = None,
    also_edited: bool = False,
    steps: Collection[int] = (),
    now: dt.datetime,
) -> int:
    """Ask for drafts of all archetypes of a campaign, or of some; returns how many archetypes are now waiting.

    The texts of each are written again, those that a person has edited only with `also_edited`; `count` (1 to 4) asks for
    at least so many for each step, each with an angle of its own; `steps` (empty: all) are the steps that are meant. Those
    that are being drafted right now are left alone. Only in campaigns that are drafts: the caller has put an approved one
    back. Raises PermissionDenied for who may not change texts.
    """
    _enforce(user)
    found = Archetype.objects.select_related("campaign")
    if isinstance(target, Campaign):
        found = found.filter(campaign=target)
    else:
        found = found.filter(pk__in=[archetype.pk for archetype in target])
    words = clean_untrusted(instruction, 500)
    plans = [
        (archetype, plan_all(archetype, count=count, instruction=words, also_edited=also_edited, steps=steps))
        for archetype in found
    ]
    asked = sum(_enqueue(archetype, plan, words, now) for archetype, plan in plans if plan)
    log.info("drafts_requested", archetypes=asked, actor=user.pk)
    return asked


def request_text(
    archetype: Archetype,
    *,
    user: User,
    label: str = "",
    angle: str = "",
    instruction: str = "",
    step: int = FIRST_STEP,
    now: dt.datetime,
) -> bool:
    """Ask for one text of a step: that label again, or one more with another angle. False where there are four already, or
    the archetype is being drafted right now."""
    _enforce(user)
    words = clean_untrusted(instruction, 500)
    plan = plan_one(archetype, label=label, angle=angle, instruction=words, step=step)
    return bool(plan) and _enqueue(archetype, add_to_plan(archetype, plan), words, now)


def request_translation(source: Variant, target: Archetype, *, user: User, now: dt.datetime) -> bool:
    """Ask for a finished text in the language of another archetype, as a draft of the same step there. False as above."""
    _enforce(user)
    known = Variant.objects.filter(archetype=target, translated_from=source, step=source.step)
    label = known.values_list("label", flat=True).first()
    plan = [as_translation(text, source) for text in plan_one(target, label=label or "", step=source.step)]
    return bool(plan) and _enqueue(target, add_to_plan(target, plan), "", now)


def archetypes_waiting(now: dt.datetime) -> list[int]:
    """Ids of the archetypes that a worker may draft now."""
    return list(Archetype.objects.waiting_for_draft(now).order_by("pk").values_list("pk", flat=True))


def draft_archetype(archetype_id: int, *, now: dt.datetime, with_model: bool = True) -> Variant | None:
    """Write the texts that an archetype waits for and return the last; None when somebody else has it, or when one of
    them failed (its row then says why; the texts before it stand).

    The claim is committed before the network is touched, and taken anew before each request. A fault that may pass is
    tried again by the sweep, three times at most; anything else is `failed`, with a sentence for staff. `with_model`
    False takes the templates even where a model is configured: the demo shop's history must stand in a minute.
    """
    claim = _claim(archetype_id, now)
    if claim is None:
        return None
    variant = None
    try:
        for text in read_plan(claim.archetype):
            if not claim.wants(text):
                continue
            written = write_text(claim.archetype, text, now=now, keep_lease=claim.keep, with_model=with_model)
            variant = _store(claim, text, written, now)
            if variant is None:
                break
    except LeaseLost:
        log.warning("draft_lease_lost", archetype=archetype_id)
        return None
    except ModelError as error:
        _note_failure(claim, error, now)
        return None
    except NoText as error:
        claim.settle(draft_status=DraftStatus.FAILED, draft_error=str(error))
        return None
    except Exception:
        claim.settle(
            draft_status=DraftStatus.FAILED, draft_error=gettext_noop("The draft failed. The worker's log says why.")
        )
        log.exception("draft_failed", archetype=archetype_id)
        return None
    return variant


class _Claim:
    """An archetype that this worker holds until its lease ends."""

    def __init__(self, archetype: Archetype, now: dt.datetime) -> None:
        self.archetype = archetype
        self.lease_until = now + LEASE
        self.notes: list[str] = []
        self._began = now, time.monotonic()

    def keep(self) -> None:
        """Take the lease anew. Raises LeaseLost."""
        now, started = self._began
        until = now + dt.timedelta(seconds=time.monotonic() - started) + LEASE
        if not self.settle(draft_status=DraftStatus.DRAFTING, draft_lease_until=until):
            raise LeaseLost
        self.lease_until = until

    def wants(self, text: PlannedText) -> bool:
        """Whether the text is still asked for: a person may have written it meanwhile (`take_back`)."""
        self.archetype.refresh_from_db(fields=["draft_plan"])
        return bool(self.archetype.draft_plan) and text.place in {one.place for one in read_plan(self.archetype)}

    def settle(self, **fields: Any) -> bool:
        """Write to the row; False where it is no longer ours."""
        mine = Archetype.objects.filter(
            pk=self.archetype.pk, draft_status=DraftStatus.DRAFTING, draft_lease_until=self.lease_until
        )
        return bool(mine.update(**({"draft_lease_until": None} | fields)))


def _enforce(user: User) -> None:
    if not user.has_perm("campaigns.change_variant"):
        raise PermissionDenied


def _enqueue(archetype: Archetype, plan: list[PlannedText], instruction: str, now: dt.datetime) -> bool:
    free = Archetype.objects.filter(pk=archetype.pk, campaign__status=CampaignStatus.DRAFT).exclude(
        draft_status=DraftStatus.DRAFTING, draft_lease_until__gte=now
    )
    return bool(
        free.update(
            draft_status=DraftStatus.REQUESTED, draft_plan=write_plan(plan), draft_instruction=instruction,
            draft_error="", draft_attempts=0, draft_not_before=None, draft_lease_until=None,
        )
    )  # fmt: skip


def _claim(archetype_id: int, now: dt.datetime) -> _Claim | None:
    waiting = Archetype.objects.waiting_for_draft(now).filter(Q(campaign__status=CampaignStatus.DRAFT), pk=archetype_id)
    won = Archetype.objects.filter(pk__in=waiting.values("pk"), draft_attempts__lt=MOST_ATTEMPTS).update(
        draft_status=DraftStatus.DRAFTING, draft_lease_until=now + LEASE, draft_attempts=F("draft_attempts") + 1
    )
    if not won:
        waiting.filter(draft_attempts__gte=MOST_ATTEMPTS).update(
            draft_status=DraftStatus.FAILED,
            draft_error=gettext_noop("The draft was tried three times and did not come."),
        )
        return None
    claim = _Claim(Archetype.objects.select_related("campaign__segment").get(pk=archetype_id), now)
    if not claim.archetype.draft_plan:  # asked for before plans were kept
        claim.archetype.draft_plan = write_plan(read_plan(claim.archetype))
        Archetype.objects.filter(pk=archetype_id).update(draft_plan=claim.archetype.draft_plan)
    return claim


def _store(claim: _Claim, text: PlannedText, written: Written, now: dt.datetime) -> Variant | None:
    """Write the variant and take it off the plan. Dropped where the campaign left `draft` meanwhile (None), or where a
    person wrote this text: then theirs stays."""
    archetype, completion = claim.archetype, written.completion
    fields = {name: str(written.words.get(name, "")) for name in EDITABLE_FIELDS}
    with transaction.atomic():
        campaign = Campaign.objects.select_for_update().get(pk=archetype.campaign_id)
        if campaign.status != CampaignStatus.DRAFT:
            claim.settle(draft_status=DraftStatus.NONE, draft_error="", draft_plan=[])
            return None
        variant = Variant.objects.filter(archetype=archetype, step=text.step, label=text.label).first()
        if not claim.wants(text):
            log.info("draft_dropped", archetype=archetype.pk, step=text.step, label=text.label)
            return variant
        _take_off_plan(claim, text, written.note)
        variant = variant or Variant(archetype=archetype, step=text.step, label=text.label)
        keep_former(variant)
        variant.archetype, variant.angle = archetype, text.angle
        variant.origin = Variant.Origin.TEMPLATE if completion.is_template else Variant.Origin.MODEL
        variant.prompt_name, variant.prompt_version = completion.prompt_name, completion.prompt_version
        variant.model_label, variant.llm_request_id = completion.label, completion.call_id
        variant.earlier_calls, variant.translated_from_id = list(written.earlier), text.translates
        variant.drafted_text, variant.edited_by, variant.edited_at = fields, None, None
        write_variant(variant, fields, user=None, now=now)
    log.info("draft_written", archetype=archetype.pk, variant=variant.pk, is_template=completion.is_template)
    return variant


def _take_off_plan(claim: _Claim, text: PlannedText, note: str) -> None:
    """The row without this text; `drafted` when nothing is left. Raises LeaseLost, which undoes the transaction."""
    left = [planned for planned in read_plan(claim.archetype) if planned.place != text.place]
    claim.notes += [note] if note else []
    notes = "\n".join(dict.fromkeys(claim.notes))[:500]
    if left:
        going_on = {"draft_status": DraftStatus.DRAFTING, "draft_lease_until": claim.lease_until, "draft_attempts": 1}
        is_mine = claim.settle(draft_plan=write_plan(left), draft_error=notes, **going_on)
    else:
        is_mine = claim.settle(draft_plan=[], draft_error=notes, draft_status=DraftStatus.DRAFTED)
    if not is_mine:
        raise LeaseLost
    claim.archetype.draft_plan, claim.archetype.draft_attempts = write_plan(left), 1


def _note_failure(claim: _Claim, error: ModelError, now: dt.datetime) -> None:
    """Again later for what may pass, failed with its sentence for the rest. What was never sent is no try."""
    archetype = claim.archetype
    tries = archetype.draft_attempts - (not error.counts_as_try)
    if error.is_retryable and tries < MOST_ATTEMPTS:
        wait = wait_before_retry(archetype.draft_attempts, seed=archetype.pk, retry_after_s=error.retry_after_s)
        claim.settle(
            draft_status=DraftStatus.REQUESTED, draft_error=error.kept[:500], draft_attempts=tries,
            draft_not_before=now + dt.timedelta(seconds=wait),
        )  # fmt: skip
    else:
        claim.settle(draft_status=DraftStatus.FAILED, draft_error=error.kept[:500])
    log.warning("draft_not_written", archetype=archetype.pk, outcome=str(error.outcome))
