"""The brief of a campaign: what a person vouches for, in a shape that drafts and checks can use."""

from __future__ import annotations

from typing import Final

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

#: A brief that nobody can keep in mind helps no draft.
MOST_POINTS: Final = 10
LONGEST_POINT: Final = 200


def tidy_talking_points(text: str) -> str:
    """One fact to a line, without empty lines and bullets; ValidationError where there are too many or one is too long."""
    points = [line.strip().lstrip("-–•*·").strip() for line in text.splitlines()]
    points = [point for point in points if point]
    if len(points) > MOST_POINTS:
        raise ValidationError(_("At most %(n)d points: leave out what matters least.") % {"n": MOST_POINTS})
    for number, point in enumerate(points, 1):
        if len(point) > LONGEST_POINT:
            raise ValidationError(
                _("Point %(number)d has %(length)d characters. A point is one fact of at most %(most)d.")
                % {"number": number, "length": len(point), "most": LONGEST_POINT}
            )
    return "\n".join(points)
