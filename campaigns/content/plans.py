"""Which texts an archetype is still to get: for each step labels A to D, each with the named way in which it differs. Kept in
its row."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from campaigns.models import Angle, Archetype, DraftStatus, Offer, Variant

from .steps import FIRST_STEP, read_steps

LABELS: Final = ("A", "B", "C", "D")
#: For one step.
MOST_TEXTS: Final = len(LABELS)
#: A draft is on its way.
OPEN: Final = (DraftStatus.REQUESTED, DraftStatus.DRAFTING)


@dataclass(frozen=True)
class PlannedText:
    """One text to be written. `translates` is the id of the text that it says in another language."""

    label: str
    angle: str = ""
    instruction: str = ""
    translates: int | None = None
    step: int = FIRST_STEP

    @property
    def place(self) -> tuple[int, str]:
        """What tells the texts of an archetype apart."""
        return self.step, self.label


def read_plan(archetype: Archetype) -> list[PlannedText]:
    """What is still to be written, one text for each step where the row does not say."""
    found = [_read_item(item) for item in archetype.draft_plan if isinstance(item, Mapping)]
    return found or plan_all(archetype, instruction=archetype.draft_instruction, also_edited=True)


def write_plan(plan: Sequence[PlannedText]) -> list[dict[str, Any]]:
    """What Archetype.draft_plan keeps."""
    return [asdict(text) for text in plan]


def plan_all(
    archetype: Archetype,
    *,
    count: int | None = None,
    instruction: str = "",
    also_edited: bool = False,
    steps: Collection[int] = (),
) -> list[PlannedText]:
    """All texts of an archetype: those that there are, each again with its angle, and new ones up to `count` for each step.

    A text that a person has edited is left as it is unless `also_edited`: no word of theirs goes by a click on "all".
    `steps` are those that are meant, all of the campaign where it is empty.
    """
    numbers = [step.number for step in read_steps(archetype.campaign_id)]
    plan: list[PlannedText] = []
    for step in [number for number in numbers if not steps or number in steps]:
        texts = Variant.objects.filter(archetype=archetype, step=step).order_by("label")
        angles = dict(texts.values_list("label", "angle"))
        kept = set() if also_edited else set(texts.filter(edited_at__isnull=False).values_list("label", flat=True))
        wanted = max(count or 0, len(angles), 1)
        for label in LABELS[: min(wanted, MOST_TEXTS)]:
            angles.setdefault(label, _next_angle(archetype, angles.values()))
        plan += [
            PlannedText(label, angle, instruction, step=step)
            for label, angle in sorted(angles.items())
            if label not in kept
        ]
    return plan


def plan_one(
    archetype: Archetype, *, label: str = "", angle: str = "", instruction: str = "", step: int = FIRST_STEP
) -> list[PlannedText]:
    """One text of a step: that label again, or a new one. [] where the step has as many as there may be, or is none."""
    if step not in [one.number for one in read_steps(archetype.campaign_id)]:
        return []
    angles = dict(Variant.objects.filter(archetype=archetype, step=step).values_list("label", "angle"))
    planned = (_read_item(item) for item in archetype.draft_plan)
    waiting = {text.label: text.angle for text in planned if text.step == step}
    free = [one for one in LABELS if one not in angles | waiting]
    label = label or (free[0] if free else "")
    if label not in LABELS:
        return []
    chosen = angle or angles.get(label) or _next_angle(archetype, (angles | waiting).values())
    return [PlannedText(label, chosen if chosen in Angle.values else "", instruction, step=step)]


def add_to_plan(archetype: Archetype, plan: Sequence[PlannedText]) -> list[PlannedText]:
    """The plan with what was waiting before, a newer wish for a text in place of the older."""
    waiting = {text.place: text for text in map(_read_item, archetype.draft_plan)}
    return sorted((waiting | {text.place: text for text in plan}).values(), key=lambda text: text.place)


def take_back(archetype: Archetype, label: str = "", step: int = FIRST_STEP) -> bool:
    """A person wrote or removed this text, or (no label) wants none of the drafts any more: what was asked of the model
    is dropped. Whether anything was.

    Under the campaign's lock, which the worker takes before it writes: whoever comes first, the person's words stand.
    """
    row = Archetype.objects.filter(pk=archetype.pk, draft_status__in=OPEN).first()
    plan = read_plan(row) if row else []
    left = [text for text in plan if label and text.place != (step, label)]
    if row is None or len(left) == len(plan):
        return False
    done = {} if left else {"draft_status": DraftStatus.DRAFTED, "draft_error": "", "draft_lease_until": None}
    if not left and not Variant.objects.filter(archetype=row).exists():
        done["draft_status"] = DraftStatus.NONE
    return bool(Archetype.objects.filter(pk=row.pk).update(draft_plan=write_plan(left), **done))


def as_translation(text: PlannedText, source: Variant) -> PlannedText:
    """The same place in the plan, filled by a translation."""
    return replace(text, angle=source.angle, translates=source.pk)


def _next_angle(archetype: Archetype, taken: Any) -> str:
    """The first angle that no text of the step has; those that need something are left out where it is missing."""
    has_offer = Offer.objects.filter(campaign=archetype.campaign_id).exclude(kind=Offer.Kind.NONE).exists()
    fits = {Angle.LIKES: bool(archetype.interest), Angle.OFFER: has_offer}
    free = [angle for angle in Angle if fits.get(angle, True) and angle not in set(taken)]
    return str(free[0]) if free else ""


def _read_item(item: Mapping[str, Any]) -> PlannedText:
    translates = item.get("translates")
    return PlannedText(
        label=str(item.get("label", LABELS[0])),
        angle=str(item.get("angle", "")),
        instruction=str(item.get("instruction", "")),
        translates=int(translates) if translates else None,
        step=int(item.get("step") or FIRST_STEP),
    )
