from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from customers.scoring.appointment import appoint_estimator
from customers.scoring.evaluation import Estimate

SURE, UNSURE, WORSE = Estimate(0.02, 0.01, 0.03), Estimate(0.004, -0.002, 0.01), Estimate(-0.02, -0.03, -0.01)


@dataclass(frozen=True)
class Judged:
    """What the decision reads of an evaluation."""

    auc_gain: Estimate

    @property
    def beats_baseline(self) -> bool:
        return self.auc_gain.low > 0


@dataclass(frozen=True)
class Judgements:
    """What the decision reads of a back-test."""

    champion: str
    evaluations: dict[str, Judged]
    gains: dict[str, Estimate] = field(default_factory=dict)


def judge(challenger: str, against_rule: dict[str, Estimate], over_incumbent: Estimate | None = None) -> Judgements:
    judged = {name: Judged(gain) for name, gain in against_rule.items()} | {"plain_rule": Judged(UNSURE)}
    return Judgements(challenger, judged, dict.fromkeys(against_rule, over_incumbent or UNSURE))


BOTH = {"blend": SURE, "rfm_logistic": SURE}


@pytest.mark.parametrize(
    ("backtest", "incumbent", "estimator", "reason"),
    [
        (judge("blend", BOTH), None, "blend", "first"),
        (judge("blend", BOTH), "blend", "blend", "same"),
        (judge("blend", BOTH, SURE), "rfm_logistic", "blend", "better"),
        (judge("blend", BOTH, UNSURE), "rfm_logistic", "rfm_logistic", "kept"),
        (judge("blend", BOTH, WORSE), "rfm_logistic", "rfm_logistic", "kept"),
        (judge("blend", {"blend": SURE, "rfm_logistic": UNSURE}), "rfm_logistic", "blend", "first"),
        (judge("blend", {"blend": UNSURE, "rfm_logistic": SURE}), "rfm_logistic", "rfm_logistic", "kept"),
        (judge("blend", {"blend": UNSURE, "rfm_logistic": UNSURE}), "rfm_logistic", "plain_rule", "rule"),
        (judge("blend", {"blend": UNSURE}), None, "plain_rule", "rule"),
        (judge("plain_rule", BOTH), None, "plain_rule", "rule"),
        (judge("blend", BOTH), "of_an_older_release", "blend", "gone"),
        (judge("blend", BOTH), "plain_rule", "blend", "first"),
    ],
)  # fmt: skip
def test_who_is_put_to_use(backtest, incumbent, estimator, reason) -> None:  # type: ignore[no-untyped-def]
    appointed = appoint_estimator(backtest, incumbent)

    assert (appointed.estimator, appointed.reason) == (estimator, reason)
    assert appointed.to_json()["challenger"] == backtest.champion
