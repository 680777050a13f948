"""The words of the page Whom to write to."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext_lazy as _

LEARNER_NAMES: Final = {
    "response": _("who orders when written to"),
    "t_learner": _("T-learner"),
    "x_learner": _("X-learner"),
    "class_transformation": _("class transformation"),
}
GROUP_MEANINGS: Final = {
    "persuadable": _("More of them order when they are written to."),
    "sure_thing": _("Most order anyhow, and a message changes that by less than five points either way."),
    "lost_cause": _("Most do not order, and a message changes that by less than five points either way."),
    "do_not_disturb": _("Fewer of them order when they are written to."),
    "not_known": _("The intervals do not allow to say any of it."),
}
