"""Looks at the finished campaigns of a kind, and learns from them where there is enough to learn from."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import structlog
from django.conf import settings
from django.db import connection, transaction
from django.db.models import Max

from campaigns.models import UpliftKind, UpliftStudy

from .gathering import COLUMNS, gather_pool
from .kinds import Finished, list_finished
from .learning import learn_pool
from .threshold import Need, choose_informative, find_need

log = structlog.get_logger(__name__)

#: Another way of learning makes another fingerprint, so that what stands is learned anew.
METHOD = 2
_LOCK = "hashtext('campaigns.whom')"


def study_all(*, now: dt.datetime) -> int:
    """Look at every kind; returns how many have a new study. A second worker meanwhile does nothing."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT pg_try_advisory_lock({_LOCK})")
        if not cursor.fetchone()[0]:
            return 0
        try:
            return sum(study_kind(kind, now=now) for kind in UpliftKind)
        finally:
            cursor.execute(f"SELECT pg_advisory_unlock({_LOCK})")


def study_kind(kind: UpliftKind, *, now: dt.datetime, seed: int = 0) -> bool:
    """True where something new was written down. Safe to run as often as one likes: the same campaigns are looked at once.

    With enough data the study is put into use and replaces the one before; with too little one that is in use stays.
    """
    sound = [each for each in list_finished(kind, now=now) if each.is_sound]
    finished = [sound[place] for place in choose_informative([each.counts for each in sound])]
    need = find_need([each.counts for each in finished], holdout_share=settings.HOLDOUT_SHARE)
    fingerprint = _fingerprint(sound, need)
    newest = UpliftStudy.objects.newest(kind)
    if newest is not None and newest.fingerprint == fingerprint:
        return False
    if not need.is_met:
        _store(kind, finished, need, fingerprint, now=now)
        return True
    learned = learn_pool(gather_pool(finished, now=now), seed=seed)
    _store(kind, finished, need, fingerprint, now=now, figures=learned.figures, artifact=learned.ranker.to_bytes())
    return True


def _store(
    kind: UpliftKind,
    finished: Sequence[Finished],
    need: Need,
    fingerprint: str,
    *,
    now: dt.datetime,
    figures: dict[str, Any] | None = None,
    artifact: bytes | None = None,
) -> None:
    told = asdict(need) | {"visible": need.visible if math.isfinite(need.visible) else None}
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext('campaigns_upliftstudy'))")
        studies = UpliftStudy.objects.filter(kind=kind)
        highest = studies.aggregate(highest=Max("version"))["highest"] or 0
        if artifact is not None:
            UpliftStudy.objects.in_use(kind).update(status=UpliftStudy.Status.RETIRED)
        UpliftStudy.objects.create(
            kind=kind,
            version=highest + 1,
            status=UpliftStudy.Status.TOO_LITTLE if artifact is None else UpliftStudy.Status.IN_USE,
            made_at=now,
            fingerprint=fingerprint,
            campaigns=[each.campaign.pk for each in finished],
            need=told,
            figures=figures or {},
            artifact=artifact,
        )
    log.info("whom_studied", kind=str(kind), version=highest + 1, learned=artifact is not None, people=need.people)


def _fingerprint(sound: Sequence[Finished], need: Need) -> str:
    """Of all campaigns that could be learned from and their arms, chosen or not. An order that arrives late moves the rate a
    little, and with it perhaps which ones say most: no reason to learn anew, unless the data becomes enough or too little."""
    seen = [[each.campaign.pk, each.counts.treated, each.counts.held_out] for each in sound]
    missing = float(f"{need.people_missing:.1e}")  # two digits: the page says "about"
    told = json.dumps([METHOD, COLUMNS, seen, missing], sort_keys=True)
    return hashlib.sha256(told.encode()).hexdigest()
