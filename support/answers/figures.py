"""How good the answers are, in figures with their doubt: reads, and changes nothing. Shares are 0 to 1, times are hours."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from typing import Any, Final

from django.db import connection
from django.db.models import Avg, Count, F, Q

from customers.scoring.proportion import wilson_interval
from support.models import Answer, AnswerStatus, Rating, Ticket, TriageCorrection, TriageField

#: A suggestion counts as edited from here on; less is a salutation.
UNCHANGED_AT: Final = 0.05
#: A rating counts as good from here on.
GOOD_FROM: Final = 4
MOST_WORDS: Final = 5_000
#: What people of triage disagree about; the others follow from the mood of the day.
JUDGED: Final = (TriageField.COMPLAINT, TriageField.TOPIC, TriageField.INTENT, TriageField.URGENCY)
_FIRST_ANSWERS = """
SELECT a.id IS NOT NULL, count(*), percentile_cont(0.5) WITHIN GROUP (ORDER BY h.hours),
    percentile_cont(0.9) WITHIN GROUP (ORDER BY h.hours)
FROM support_ticket t LEFT JOIN support_automaticanswer a ON a.ticket_id = t.id,
    LATERAL (SELECT extract(epoch FROM t.first_answer_at - t.opened_at)::float8 / 3600 AS hours) h
WHERE t.opened_at >= %s AND t.first_answer_at IS NOT NULL GROUP BY 1"""
_SENTENCES = """
SELECT a.origin, a.prompt_version, count(*), count(*) FILTER (WHERE NOT (s.value->>'supported')::boolean)
FROM support_answer a, jsonb_array_elements(a.sentences) s WHERE a.made_at >= %s GROUP BY 1, 2"""


def share(hits: int, n: int) -> dict[str, Any]:
    """A share with its interval (Wilson); None where there is nothing to divide by."""
    low, high = wilson_interval(hits, n) if n else (None, None)
    return {"hits": hits, "n": n, "share": hits / n if n else None, "low": low, "high": high}


def measure_first_answers(since: dt.datetime) -> dict[str, dict[str, Any]]:
    """Hours to the first answer of tickets that were opened since then, by people and by itself: n, median, p90."""
    with connection.cursor() as cursor:
        cursor.execute(_FIRST_ANSWERS, [since])
        rows = {("itself" if by_itself else "people"): rest for by_itself, *rest in cursor.fetchall()}
    told = {}
    for who in ("people", "itself"):
        n, median, p90 = rows.get(who, (0, None, None))
        told[who] = {"n": n, "median": median, "p90": p90, "minutes": median * 60 if n else None}
    return told


def count_suggestions(since: dt.datetime) -> list[dict[str, Any]]:
    """By origin and version of the prompt: what people made of suggestions, and how many sentences had no source."""
    sent = Q(status=AnswerStatus.SENT)
    rows = (
        Answer.objects.filter(made_at__gte=since)
        .values("origin", "prompt_version")
        .annotate(
            made=Count("pk"),
            by_itself=Count("pk", filter=Q(automatic__isnull=False)),
            unchanged=Count("pk", filter=sent & Q(share_changed__lt=UNCHANGED_AT, automatic=None)),
            edited=Count("pk", filter=sent & Q(share_changed__gte=UNCHANGED_AT, automatic=None)),
            discarded=Count("pk", filter=Q(status=AnswerStatus.DISCARDED)),
            refused=Count("pk", filter=Q(status=AnswerStatus.REFUSED)),
        )
        .order_by("origin", "prompt_version")
    )
    sentences = _count_sentences(since)
    return [_describe(dict(row), sentences.get((row["origin"], row["prompt_version"]), (0, 0))) for row in rows]


def judge_triage(since: dt.datetime) -> list[dict[str, Any]]:
    """How often the rules, the classifier and the model said what people said in the end, by field; on what people looked at."""
    right: Counter[tuple[str, str]] = Counter()
    judged: Counter[tuple[str, str]] = Counter()
    words = TriageCorrection.objects.filter(corrected_at__gte=since, field__in=JUDGED).order_by("-corrected_at")
    for field, becomes, triage in words.values_list("field", "becomes", "ticket__triage")[:MOST_WORDS]:
        for opinion in (triage.get(field) or {}).get("opinions", []):
            judged[field, opinion["by"]] += 1
            right[field, opinion["by"]] += opinion["value"] == becomes
    return [
        {"field": field, "label": field.label, "by": by} | share(right[field, by], judged[field, by])
        for field in JUDGED
        for by in ("rules", "classifier", "model")
        if judged[field, by]
    ]


def measure_ratings(since: dt.datetime) -> dict[str, Any]:
    """What customers said: how many were asked, the share of good ones, the mean; and after an automatic answer."""
    ratings = Rating.objects.filter(rated_at__gte=since)
    by_score = dict(ratings.values_list("score").annotate(n=Count("pk")).order_by("score"))
    n = sum(by_score.values())
    automatic = ratings.filter(ticket__automatic__isnull=False)
    return {
        "asked": Ticket.objects.filter(rating_asked_at__gte=since).count(),
        "mean": ratings.aggregate(mean=Avg("score"))["mean"],
        "good": share(sum(count for score, count in by_score.items() if score >= GOOD_FROM), n),
        "automatic": share(automatic.filter(score__gte=GOOD_FROM).count(), automatic.count()),
        "scores": [(score, by_score.get(score, 0)) for score in range(5, 0, -1)],
        "comments": list(ratings.exclude(comment="").order_by("-rated_at")[:8]),
    }


def list_changes(since: dt.datetime, *, most: int = 15) -> dict[str, Any]:
    """Who changed what: suggestions that were edited or thrown away, and corrections of triage; the newest first."""
    edited = Answer.objects.filter(decided_at__gte=since, share_changed__gte=UNCHANGED_AT).exclude(decided_by=None)
    corrected = TriageCorrection.objects.filter(corrected_at__gte=since).exclude(was=F("becomes"))
    return {
        "answers": list(edited.select_related("decided_by", "ticket").order_by("-decided_at")[:most]),
        "corrections": list(corrected.select_related("corrected_by", "ticket").order_by("-corrected_at")[:most]),
    }


def _count_sentences(since: dt.datetime) -> dict[tuple[str, str], tuple[int, int]]:
    with connection.cursor() as cursor:
        cursor.execute(_SENTENCES, [since])
        return {(origin, version): (n, bare) for origin, version, n, bare in cursor.fetchall()}


def _describe(row: dict[str, Any], sentences: tuple[int, int]) -> dict[str, Any]:
    decided = row["unchanged"] + row["edited"] + row["discarded"]
    told = {name: share(row[name], decided) for name in ("unchanged", "edited", "discarded")}
    n, bare = sentences
    return (
        row
        | {f"{name}_share": one for name, one in told.items()}
        | {
            "label": Answer.Origin(row["origin"]).label,
            "decided": decided,
            "bare": share(bare, n),
        }
    )
