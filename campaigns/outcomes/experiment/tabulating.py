"""The report of an experiment for people: a plain sentence first, then the interval, then tables. No Django here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_LEARNER_WORDS = {
    "response": "P(outcome | treated)",
    "t_learner": "T-learner",
    "x_learner": "X-learner",
    "class_transformation": "class transformation",
}
_VERDICTS = {
    "positive": "more than without it, beyond doubt",
    "negative": "less than without it, beyond doubt",
    "no_effect": "no clear difference",
    "too_few": "too few people to say anything",
}


def tabulate_report(told: Mapping[str, Any]) -> str:
    """What `describe_experiment` found, as lines of text."""
    parts = [_tell_people(told), _tell_checks(told), _tell_effects(told)]
    if told["uplift"] is None:
        parts.append([f"No models and no policy: {told['no_models']}."])
    else:
        parts += [_tell_rankings(told), _tell_policy(told)]
    if told["test"]:
        parts.append(_tell_trial(told["test"]))
    return "\n\n".join("\n".join(part) for part in parts)


def _tell_people(told: Mapping[str, Any]) -> list[str]:
    left_out = ", ".join(f"{count:,} {reason}" for reason, count in told["left_out"].items()) or "none"
    arms = ", ".join(f"{name} {count:,}" for name, count in told["arms"].items())
    lines = [f"{told['size']:,} people of {told['rows_read']:,} rows (left out: {left_out}): {arms}"]
    if told["covariates_left_out"]:
        lines.append("Columns not used: " + ", ".join(f"{n} ({why})" for n, why in told["covariates_left_out"].items()))
    return lines


def _tell_checks(told: Mapping[str, Any]) -> list[str]:
    ratio = told["sample_ratio"]
    meant = ", ".join(f"{share:.1%}" for share in ratio["expected"])
    whose = "assumed" if ratio["is_assumed"] else "as given"
    alarm = "ALARM: the draw or the count is broken" if ratio["is_alarming"] else "as it should be"
    lines = [f"Sample ratio: {alarm} (p = {ratio['p_value']:.3g}, meant {meant}, {whose})"]
    for each in told["balance"]:
        alarm = "ALARM: the arms differed before" if each["is_alarming"] else "no more apart than chance makes them"
        name, gap = each["largest"]["covariate"], each["largest"]["difference"]
        lines.append(f"Balance, {each['arm']}: {alarm} (p = {each['p_value']:.3g}; largest {name} {gap:+.3f} sd)")
    return lines


def _tell_effects(told: Mapping[str, Any]) -> list[str]:
    lines = [f"Mean of control: {told['control_mean']:.6g}"]
    for effect in told["effects"]:
        lines += _tell_effect(effect)
    if cut := told["winsorised"]:
        lines.append(
            f"Amounts cut at {cut['cap']:.6g} (the {cut['quantile']:.1%} quantile of those that are not 0, all arms"
            f" together; {cut['people']:,} people):"
        )
        for effect in cut["effects"]:
            lines += _tell_effect(effect)
    if len(told["effects"]) > 1:
        lines.append(
            f"p corrected for {len(told['effects'])} arms (Holm); “all” holds for all arms at once (Bonferroni)."
        )
    return lines


def _tell_effect(effect: Mapping[str, Any]) -> list[str]:
    plain, adjusted = effect["ate"], effect["ate_cuped"]
    lines = [
        f"{effect['arm']}: {_VERDICTS[effect['verdict']]} (mean {effect['mean']:.6g}, p = {effect['p_holm']:.3g})",
        f"  plain       {plain['effect']:+.6g}  ({plain['low']:+.6g} to {plain['high']:+.6g})",
    ]
    if not effect["is_adjusted"]:
        return [*lines, "  with CUPED  the same: no covariate that could narrow it, or too few people for them"]
    return [
        *lines,
        f"  with CUPED  {adjusted['effect']:+.6g}  ({adjusted['low']:+.6g} to {adjusted['high']:+.6g}; all"
        f" {effect['low_all']:+.6g} to {effect['high_all']:+.6g})",
        f"  CUPED narrows it by {effect['narrowing']:.1%}; correlation {effect['correlation']:.2f} promises"
        f" {effect['narrowing_theory']:.1%}",
    ]


def _tell_rankings(told: Mapping[str, Any]) -> list[str]:
    lines = [f"Models of {told['model_rows']:,} people, cross-fitted in five, {told['rounds']} times"]
    if told["model_rows"] < told["size"]:
        lines[0] += f" (a random sample of {told['size']:,})"
    is_better = False
    for arm, found in told["uplift"].items():
        lines.append(f"{arm:<24}{'Qini':<34}{'uplift@30%':<34}Qini against P(outcome | treated)")
        for name, ranking in found.items():
            figures = [_tell_interval(ranking[key]) for key in ("qini", "uplift_at_30", "qini_against_response")]
            is_better |= ranking["qini_against_response"]["low"] > 0
            lines.append(f"  {_LEARNER_WORDS[name]:<22}{figures[0]:<34}{figures[1]:<34}{figures[2]}")
    if not is_better:
        lines.append("No learner of the effect ranks better than P(outcome | treated) beyond doubt.")
    return lines


def _tell_policy(told: Mapping[str, Any]) -> list[str]:
    policy = told["policy"]
    lines = [
        f"Policy (value {policy['value']:g} a unit, cost {policy['cost']:g} a person): {tell_rule(policy['rule'])};"
        f" {policy['picked']:.1%} of the people",
        f"  worth {_tell_interval(policy['value_per_person'])} a person against treating nobody, off-line, chosen on others",
    ]
    for arm, found in policy["everybody"].items():
        lines.append(f"  {arm} for everybody: {_tell_interval(found)}")
    return [*lines, f"  policy less the best of these: {_tell_interval(policy['against_best_for_all'])}"]


def _tell_trial(trial: Mapping[str, Any]) -> list[str]:
    picked = ", ".join(f"{name} {count:,}" for name, count in trial["picked"].items())
    lines = [
        f"On the second file ({trial['size']:,} people), which had no part in it: {picked}",
        f"  net incremental {_tell_interval(trial['net_incremental'])}",
    ]
    for arm, found in trial["net_incremental_everybody"].items():
        lines.append(f"  {arm} for everybody {_tell_interval(found)}")
    return lines


def tell_rule(rule: Mapping[str, Any]) -> str:
    """A rule in words."""
    if rule["kind"] == "nobody":
        return "nobody"
    if rule["kind"] == "everybody":
        return f"{rule['arm']} for everybody"
    if rule["kind"] == "best_arm":
        return "each the arm with the largest gain, if there is one"
    return f"{rule['arm']} for the {rule['share']:.0%} with the largest effect"


def _tell_interval(found: Mapping[str, float]) -> str:
    return f"{found['value']:+.5g} ({found['low']:+.5g} to {found['high']:+.5g})"
