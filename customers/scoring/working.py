"""Which trained version scores: the one in use, or an earlier one where that cannot work on this machine.

The self-attention model needs PyTorch, an optional extra that can go away with the next machine or environment. Training
then makes a version without it (`runner.train_model_version` sees other data), and this is for the time until then, and
for commands that score without training. A score names the version that made it, so it can still be made again.
"""

from __future__ import annotations

from dataclasses import dataclass

import structlog
from django.conf import settings
from django.utils.translation import gettext as _

from customers.models import ModelVersion

from .artifact import TrainedModel
from .sequence import SequenceModel, is_torch_installed

MOST_TRIED = 20

logger = structlog.get_logger(__name__)


class NoModel(Exception):
    """Nothing to score with. The message says what to do."""


@dataclass(frozen=True)
class MissingTorch:
    """PyTorch is gone, and with it the self-attention model of version `lost`. `stands_in` scores instead: a newer version
    that was trained without it, or until there is one an earlier version; None where no version can work here."""

    lost: ModelVersion
    stands_in: ModelVersion | None


def read_champion() -> ModelVersion:
    """The version in use; raises NoModel where none was trained yet."""
    model = ModelVersion.objects.in_use().first()
    if model is None:
        raise NoModel(_("No model has been trained yet. Train one on the Predictions page or with train_model."))
    return model


def find_working_version() -> ModelVersion:
    """The version in use, or where it cannot work here the newest earlier one of the same horizon that can.

    Raises NoModel where there is none, with what to do.
    """
    champion = read_champion()
    if _can_work(champion):
        return champion
    found = _find_stand_in(champion)
    if found is None:
        raise NoModel(
            _(
                "Version %(version)d, which is in use, cannot work on this machine, and no earlier version can stand in."
                " Install PyTorch (pip install torch) or train again."
            )
            % {"version": champion.version}
        )
    logger.warning("version_stands_in", version=found.version, instead_of=champion.version)
    return found


def find_missing_torch() -> MissingTorch | None:
    """What a shop has lost that asked for the self-attention model, had it in use, and has no PyTorch any more.

    None where nothing is lost. Reads no artifact of a version that may not have to stand in.
    """
    if is_torch_installed():
        return None
    champion = ModelVersion.objects.in_use().defer("artifact").first()
    if champion is None:
        return None
    if _needs_torch(champion):
        return MissingTorch(champion, _find_stand_in(champion))
    before = ModelVersion.objects.defer("artifact").filter(
        kind=champion.kind, version__lt=champion.version, estimator=SequenceModel.name
    )
    lost = before.order_by("-version").first() if settings.SEQUENCE_MODEL else None
    return MissingTorch(lost, champion) if lost is not None else None


def _find_stand_in(champion: ModelVersion) -> ModelVersion | None:
    """The newest earlier version that foretells the same and can work here."""
    earlier = ModelVersion.objects.filter(
        kind=champion.kind, version__lt=champion.version, horizon_days=champion.horizon_days
    ).order_by("-version")
    return next((model for model in earlier[:MOST_TRIED].iterator() if _can_work(model)), None)


def _can_work(model: ModelVersion) -> bool:
    if _needs_torch(model) and not is_torch_installed():
        return False
    try:
        TrainedModel.from_bytes(bytes(model.artifact))
    except ValueError:  # an artifact of another format
        return False
    return True


def _needs_torch(model: ModelVersion) -> bool:
    return model.estimator == SequenceModel.name
