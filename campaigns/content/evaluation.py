"""Tries the prompts of this code on the golden briefs, through the door like any draft, and keeps what came of it."""

from __future__ import annotations

import datetime as dt
import difflib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from itertools import groupby
from typing import Any, Final
from uuid import uuid4

from django.contrib.auth.models import User
from django.utils.translation import override

from campaigns.models import Offer, PromptEvaluation, ValueBand
from customers.features.catalogue import THEMES
from llm.client import complete
from llm.configuration import configured_model
from llm.errors import BudgetExceeded, ModelError, NotConfigured
from llm.models import LlmCall
from llm.prompts import Prompt

from .golden import GoldenBrief, hash_golden_briefs, read_golden_briefs
from .guardrails import review_draft
from .measures import Trial, summarise
from .prompts import DraftTask, build_draft, read_draft

PURPOSE: Final = "evaluate_prompt"
SHARES: Final = ("schema", "usable", "clean", "faithful", "diversity")
#: Figures that a page or a command shows side by side, as `measures.summarise` names them.
FIGURES: Final = (*SHARES, "claims", "characters", "tries", "tokens", "cost", "latency_ms")


def evaluate_prompts(
    *,
    now: dt.datetime,
    channel: str = "email",
    briefs: Iterable[GoldenBrief] | None = None,
    is_capable: bool | None = None,
    user: User | None = None,
    on_trial: Callable[[Trial], None] = lambda trial: None,
) -> list[PromptEvaluation]:
    """Ask the configured model for a draft of each golden brief and store a row per prompt, in the order of names.

    Every brief is asked once, as the first draft of a campaign would be: nothing goes back to the model. `is_capable`
    None takes the longer prompt for models that are not on this machine, as drafting does. Raises NotConfigured without
    a model, BudgetExceeded when a cap is reached (what was answered until then is lost but in the ledger); any other
    failure of the model is a result. Running it again asks, pays and stores again.
    """
    model = configured_model()
    if not model.is_configured:
        raise NotConfigured
    is_capable = not model.is_local if is_capable is None else is_capable
    done: list[tuple[Prompt, Trial]] = []
    scope = f"evaluation:{uuid4().hex[:12]}"
    for brief in read_golden_briefs() if briefs is None else briefs:
        prompt, variables = build_draft(describe_task(brief, channel=channel, is_capable=is_capable))
        trial = _try_brief(brief, prompt, variables, channel=channel, scope=scope, now=now)
        on_trial(trial)
        done.append((prompt, trial))
    return [
        PromptEvaluation.objects.create(
            prompt_name=prompt.name,
            prompt_version=prompt.version,
            prompt_text=describe_prompt(prompt),
            model=model.model,
            server_host=model.host,
            golden_hash=hash_golden_briefs(),
            figures=summarise(trials),
            trials=[asdict(trial) for trial in trials],
            started_by=user,
            evaluated_at=now,
        )
        for prompt, trials in _group_by_prompt(done)
    ]


def describe_task(brief: GoldenBrief, *, channel: str, is_capable: bool) -> DraftTask:
    """The task that a campaign with such people and such an offer would give."""
    theme = THEMES.get(brief.reason)
    with override("zh-hans" if brief.language == "zh" else "en"):
        card = {
            "why_they_leave": str(theme.meaning) if theme else "",
            "what_they_like": brief.interest,
            "value": str(ValueBand(brief.value_band).label) if brief.value_band else "",
            "true_of_them": list(brief.truths),
        }
        told = {
            "goal": brief.goal,
            "tone": brief.tone,
            "avoid": brief.avoid,
            "talking_points": brief.talking_points,
            "offer": str(_kind_of_offer(brief.facts).label),
            "instruction": brief.instruction,
        }
    return DraftTask(
        channel=channel, language=brief.language, is_capable=is_capable, facts=brief.facts, card=card, brief=told
    )


def describe_prompt(prompt: Prompt) -> dict[str, str]:
    """The words of a prompt by part, to be kept and compared."""
    schema = json.dumps(prompt.schema, indent=1, ensure_ascii=False, sort_keys=True)
    limits = f"max_tokens {prompt.max_tokens}, temperature {prompt.temperature}"
    return {"system": prompt.system, "user": prompt.user, "schema": schema, "limits": limits}


def find_former(evaluation: PromptEvaluation) -> PromptEvaluation | None:
    """The newest earlier one of another version of the same prompt, with the same model and briefs."""
    others = PromptEvaluation.objects.filter(
        prompt_name=evaluation.prompt_name,
        model=evaluation.model,
        golden_hash=evaluation.golden_hash,
        evaluated_at__lte=evaluation.evaluated_at,
    ).exclude(prompt_version=evaluation.prompt_version)
    return others.first()


def compare_prompts(former: Mapping[str, str], present: Mapping[str, str]) -> list[str]:
    """The lines that differ, as a unified diff with a heading per part; [] of equal prompts."""
    lines: list[str] = []
    for part in dict.fromkeys([*former, *present]):
        before, after = former.get(part, "").splitlines(), present.get(part, "").splitlines()
        changed = list(difflib.unified_diff(before, after, lineterm="", n=1))[2:]
        lines += [f"# {part}", *changed] if changed else []
    return lines


def write_figure(name: str, value: float | None) -> str:
    """A figure for a table: shares as percentages, the others with three digits, – where there is none."""
    if value is None:
        return "–"
    if name in SHARES:
        return f"{value:.0%}"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _try_brief(
    brief: GoldenBrief, prompt: Prompt, variables: Mapping[str, Any], *, channel: str, scope: str, now: dt.datetime
) -> Trial:
    before = LlmCall.objects.filter(scope=scope).count()
    words: dict[str, str] | None = None
    fault = ""
    try:
        words = read_draft(complete(prompt, variables, purpose=PURPOSE, now=now, scope=scope).data)
    except BudgetExceeded:
        raise
    except ModelError as error:
        fault = error.kept
    verdicts: dict[str, int] = {}
    if words is not None:
        facts = {**brief.facts, "language": brief.language, "channel": channel}
        review = review_draft(facts, words)
        verdicts = {
            "blocked": sum(finding.verdict == "block" for finding in review.findings),
            "warned": sum(finding.verdict == "warn" for finding in review.findings),
            "claims": len(review.claims),
            "unsupported": sum(not claim.fact for claim in review.claims),
        }
    calls = list(LlmCall.objects.filter(scope=scope).order_by("pk")[before:])
    costs = [call.cost for call in calls if call.cost is not None]
    return Trial(
        brief=brief.id,
        language=brief.language,
        words=words,
        fault=fault,
        tries=len(calls),
        tokens=sum((call.prompt_tokens or 0) + (call.completion_tokens or 0) for call in calls),
        cost=float(sum(costs)) if costs else None,
        latency_ms=sum(call.latency_ms or 0 for call in calls),
        **verdicts,
    )


def _kind_of_offer(facts: Mapping[str, Any]) -> Offer.Kind:
    if facts.get("percent"):
        return Offer.Kind.PERCENT
    if facts.get("amount"):
        return Offer.Kind.AMOUNT
    return Offer.Kind.FREE_SHIPPING if facts.get("offer") else Offer.Kind.NONE


def _group_by_prompt(done: Sequence[tuple[Prompt, Trial]]) -> Iterator[tuple[Prompt, list[Trial]]]:
    def key(pair: tuple[Prompt, Trial]) -> tuple[str, str]:
        return pair[0].name, pair[0].version

    for _name, pairs in groupby(sorted(done, key=key), key=key):
        group = list(pairs)
        yield group[0][0], [trial for _prompt, trial in group]
