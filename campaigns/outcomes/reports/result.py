"""Everything that a campaign's result page says in numbers, as rows: for its file and the API.

`how` says how a number was made, because several of them estimate the same thing: counted (as it is), cut (large amounts cut),
past_out (with what was known before taken out), any_look (an interval that holds however often one looks).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.conf import settings

from campaigns.audience.archetypes import label_archetype
from campaigns.models import Archetype, Campaign, CampaignResult
from campaigns.outcomes.text_shares import list_share_history
from campaigns.outcomes.text_standing import Standing
from campaigns.outcomes.texts import TextCount, compare_all, count_texts

from .ledger import Line, read_ledger
from .rows import PARTS, Cell, Row

RESULT_HEADS: Final = (
    "day", "part", "name", "how", "unit", "value", "low", "high", "written_to", "held_out", "verdict",
)  # fmt: skip
_UNITS: Final = {"kept": "points", "orders": "orders", "paid": "money"}
_RESPONSES: Final = ("bounced", "complained", "followed", "opened", "clicked", "unsubscribed")


def list_result_rows(campaign: Campaign, *, now: dt.datetime, lines: Sequence[Line] | None = None) -> Iterator[Row]:
    """The newest result whole, each day's difference, what it cost, and its texts with the shares in which they were given.

    Nothing where nothing was measured. The numbers are those of the stored results that the
    page shows; `lines` are those of the ledger, where they were read already.
    """
    days = list(CampaignResult.objects.filter(campaign=campaign).order_by("day"))
    told = [day for day in days if "points" in (day.figures.get("retention") or {})]
    if not told:
        return
    newest = told[-1]
    yield from _list_whole(newest)
    yield from _list_kinds(newest)
    for day in told:
        yield from _list_day(day)
    for line in read_ledger([campaign]).lines if lines is None else lines:
        yield from _list_costs(newest.day, line)
    texts = count_texts(campaign, as_of=now)
    yield from _list_texts(newest.day, texts)
    yield from _list_standings(newest.day, compare_all(campaign, texts, now=now))
    shop_zone = ZoneInfo(settings.SHOP_TIME_ZONE)
    for change in list_share_history(campaign):
        for text in change.texts:
            yield _row(
                change.decided_at.astimezone(shop_zone).date(), "text_share", f"{change.archetype} · {text.label}",
                f"batch {change.batch}", "share", (text.share, None, None), people=(text.people, None),
            )  # fmt: skip


def _list_whole(result: CampaignResult) -> Iterator[Row]:
    figures, day = result.figures, result.day
    retention = figures["retention"]
    people = (retention["treated"], retention["holdout"])
    is_early = retention["verdict"] == "too_early"
    for name, unit in (("points", "points"), ("kept", "customers")):
        low, high = ("low", "high") if name == "points" else ("kept_low", "kept_high")
        values = (retention[name], retention[low], retention[high])
        yield _row(
            day, "all", name, "counted", unit, _bare(values, is_early), people=people, verdict=retention["verdict"]
        )
    for arm, n in zip(("treated", "holdout"), people, strict=True):
        yield _row(day, "all", f"{arm}_ordered", "counted", "people", (retention[f"{arm}_kept"], None, None),
                   people=(n, None) if arm == "treated" else (None, n))  # fmt: skip
    revenue = figures.get("revenue") or {}
    for arm in ("treated", "holdout"):
        if f"{arm}_mean" in revenue:
            yield _row(day, "all", f"{arm}_revenue_each", "counted", "money", (revenue[f"{arm}_mean"], None, None))
    yield from _list_draw(day, figures)
    if difference := revenue.get("difference"):
        for name, ends in (("per_person", ("low", "high")), ("total", ("total_low", "total_high"))):
            values = (difference[name], *(difference[end] for end in ends))
            yield _row(day, "all", f"revenue_{name}", "counted", "money", _bare(values, is_early), people=people)
    for outcome, found in (figures.get("estimates") or {}).items():
        for how, key in (("cut" if outcome == "paid" else "counted", "plain"), ("past_out", "adjusted")):
            values = (found[key]["effect"], found[key]["low"], found[key]["high"])
            yield _row(day, "all", outcome, how, _UNITS[outcome], _bare(values, is_early), people=people)
    looks = {"kept": figures.get("any_look"), **(figures.get("any_look_amounts") or {})}
    for outcome, look in looks.items():
        if look:
            yield _look(day, "all", outcome, look, _UNITS[outcome], people)


def _list_draw(day: dt.date, figures: Mapping[str, Any]) -> Iterator[Row]:
    """Whether the arms are as they were drawn, and how many held-out people other campaigns wrote to."""
    if ratio := figures.get("sample_ratio"):
        verdict = f"p {ratio['p_value']:.4f}" + (" alarm" if ratio["is_alarming"] else "")
        yield _row(day, "draw", "expected_holdout", "counted", "people", (ratio["expected_holdout"], None, None),
                   verdict=verdict)  # fmt: skip
    for arm, number in (figures.get("reached_by_others") or {}).items():
        yield _row(day, "draw", f"{arm}_reached_by_others", "counted", "people", (number, None, None))


def _list_kinds(result: CampaignResult) -> Iterator[Row]:
    """By archetype at the end, and by archetype, risk and segment however often one looks."""
    figures, day = result.figures, result.day
    labels = _label_archetypes(figures)
    for row in figures.get("archetypes") or []:
        people = (row["treated"], row["holdout"])
        verdict = f"p (Holm) {row['p_holm']:.4f}"
        values = (row["points"], row["low"], row["high"])
        yield _row(day, "archetype", labels.get(str(row["archetype"]), "–"), "past_out", "points", values, people=people,
                   verdict=verdict)  # fmt: skip
    families: Sequence[tuple[str, Mapping[str, Any]]] = (
        ("archetype", figures.get("any_look_archetypes") or {}),
        ("risk", figures.get("risks") or {}),
        ("segment", figures.get("segments") or {}),
    )
    for part, looks in families:
        for key, look in looks.items():
            name = labels.get(key, "–") if part == "archetype" else look.get("name", key)
            yield _look(day, part, name, look, "points", (look["treated"], look["holdout"]))


def _list_day(result: CampaignResult) -> Iterator[Row]:
    """As the page's chart: until the end the interval that holds however often one looks."""
    retention, look = result.figures["retention"], result.figures.get("any_look")
    people = (retention["treated"], retention["holdout"])
    if retention["verdict"] == "too_early" and look:
        yield _look(result.day, "day", "kept", look, "points", people)
        return
    values = _bare((retention["points"], retention["low"], retention["high"]), retention["verdict"] == "too_early")
    yield _row(result.day, "day", "kept", "counted", "points", values, people=people, verdict=retention["verdict"])


def _list_costs(day: dt.date, line: Line) -> Iterator[Row]:
    if line.costs is None:
        return
    for name, amount in asdict(line.costs).items():
        assert name in PARTS
        yield _row(day, "cost", name, "counted", "money", (amount, None, None),
                   verdict="" if amount is not None else "price_not_known")  # fmt: skip
    per, net = line.per_kept, line.left
    yield _row(day, "cost", "per_kept", "counted", "money", (per.value, per.low, per.high), verdict=per.verdict)
    if net is not None and line.is_settled:
        yield _row(day, "cost", "net", "counted", "money", (net.value, net.low, net.high))


def _list_texts(day: dt.date, texts: Sequence[TextCount]) -> Iterator[Row]:
    for text in texts:
        step = f" · {text.variant.step}" if text.variant.step > 1 else ""
        name = f"{text.archetype}{step} · {text.variant.label}"
        counts = {"people": text.people, "handed_over": text.handed_over, "ordered": text.ordered}
        counts |= {kind: getattr(text.responses, kind) for kind in _RESPONSES}
        for how, number in counts.items():
            yield _row(day, "text", name, how, "people", (number, None, None), people=(text.people, None))


def _list_standings(day: dt.date, found: Sequence[tuple[str, TextCount | None, Standing]]) -> Iterator[Row]:
    """By archetype with several texts, by how much its leading text is ahead of the next, in percentage points."""
    for archetype, leader, standing in found:
        if leader is None:
            yield _row(day, "text_standing", archetype, "any_look", "points", (None, None, None), verdict="too_few")
            continue
        values = (None, 100 * standing.low, 100 * standing.high)
        verdict = "better" if standing.has_won else "no_effect"
        name = f"{archetype} · {leader.variant.label}"
        yield _row(day, "text_standing", name, "any_look", "points", values, verdict=verdict)


def _bare(values: tuple[float, float, float], is_early: bool) -> tuple[float, float | None, float | None]:
    """Before the end without an interval that holds for one look only."""
    return (values[0], None, None) if is_early else values


def _look(
    day: dt.date, part: str, name: str, look: Mapping[str, Any], unit: str, people: tuple[int, int]
) -> dict[str, Cell]:
    values = (look["points"] if "points" in look else look["effect"], look["low"], look["high"])
    return _row(day, part, name, "any_look", unit, values, people=people, verdict=look["verdict"] or "no_effect")


def _row(
    day: dt.date,
    part: str,
    name: str,
    how: str,
    unit: str,
    values: tuple[float | None, float | None, float | None],
    *,
    people: tuple[int | None, int | None] = (None, None),
    verdict: str = "",
) -> dict[str, Cell]:
    rounded = [None if value is None else round(value, 6) for value in values]
    return dict(zip(RESULT_HEADS, (day, part, name, how, unit, *rounded, *people, verdict), strict=True))


def _label_archetypes(figures: Mapping[str, Any]) -> dict[str, str]:
    named = [row["archetype"] for row in figures.get("archetypes") or []]
    named += [int(key) for key in figures.get("any_look_archetypes") or {}]
    return {str(each.pk): label_archetype(each) for each in Archetype.objects.filter(pk__in=named)}
