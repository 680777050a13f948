"""Forms of the campaign pages. They read and check; the workflow decides and writes."""

from __future__ import annotations

from .audience import AudienceForm, read_share
from .goal import GoalForm, OfferForm
from .review import ApprovalTermsForm, CommentForm, NotificationForm
from .texts import DraftsForm, TextRequestForm, VariantForm
from .timing import ExitsForm, FollowUpForm, TimingForm, shop_time
from .whom import TargetingForm, TermsForm

__all__ = [
    "ApprovalTermsForm",
    "AudienceForm",
    "CommentForm",
    "DraftsForm",
    "ExitsForm",
    "FollowUpForm",
    "GoalForm",
    "NotificationForm",
    "OfferForm",
    "TargetingForm",
    "TermsForm",
    "TextRequestForm",
    "TimingForm",
    "VariantForm",
    "read_share",
    "shop_time",
]
