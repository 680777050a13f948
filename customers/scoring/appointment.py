"""Which estimator is put to use: the challenger, the one in use so far, or the plain rule."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from .backtest import RULE, Backtest
from .evaluation import Estimate


@dataclass(frozen=True)
class Appointment:
    """`estimator` is put to use. `reason` is why: `first` (nothing was in use), `same` (the incumbent was chosen again),
    `better` (the challenger beats it beyond doubt), `kept` (it does not, so the incumbent stays), `gone` (the incumbent
    cannot be fitted any more) or `rule` (nothing beats the plain rule beyond doubt). `gain` is the challenger's AUC less
    the incumbent's on the same resamples."""

    estimator: str
    challenger: str
    incumbent: str | None
    reason: str
    gain: Estimate | None = None

    def to_json(self) -> dict[str, Any]:
        gain = {"auc": round(self.gain.value, 5), "interval": self.gain.interval} if self.gain is not None else None
        return {**asdict(self), "gain": gain}


def appoint_estimator(backtest: Backtest, incumbent: str | None) -> Appointment:
    """Decide on one back-test, in which every estimator was trained on the same rows and judged on the same customers.

    The challenger is `backtest.champion`, chosen on training rows alone. It has to beat the plain rule, and the
    incumbent where that one still beats the rule, beyond the paired 95 % interval: a shop's figures should not jump
    between models that cannot be told apart. An incumbent that was not fitted, because its name is of an older release or
    because it needs PyTorch and that is gone, counts as none.
    """
    challenger = backtest.champion
    beats_rule = {name: found.beats_baseline for name, found in backtest.evaluations.items() if name != RULE}
    stands = incumbent is not None and beats_rule.get(incumbent, False)
    if not beats_rule.get(challenger, False):
        if stands and incumbent is not None:
            return Appointment(incumbent, challenger, incumbent, "kept")
        return Appointment(RULE, challenger, incumbent, "rule")
    if not stands or incumbent is None:
        was_fitted = incumbent is None or incumbent in backtest.evaluations
        return Appointment(challenger, challenger, incumbent, "first" if was_fitted else "gone")
    if challenger == incumbent:
        return Appointment(challenger, challenger, incumbent, "same")
    gain = backtest.gains[incumbent]
    chosen, reason = (challenger, "better") if gain.low > 0 else (incumbent, "kept")
    return Appointment(chosen, challenger, incumbent, reason, gain)
