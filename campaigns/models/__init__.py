"""What we say, and what it did: campaigns, their frozen audiences, texts, approvals, messages and results."""

from .approval import Approval, ApprovalPart, FourEyesSwitch
from .audience import Arm, AudienceCell, AudienceMember, ExclusionReason
from .campaign import (
    ALLOWED_TRANSITIONS,
    Campaign,
    CampaignKind,
    CampaignStatus,
    CampaignTransition,
    Offer,
    SendMode,
    TransitionConflict,
)
from .comment import CommentPlace, ReviewComment
from .costs import CostRates, StaffTime
from .country import CountryRule
from .domain import DomainCheck, DomainOverride
from .entering import Occurrence, Presence
from .entry import Entry, ExitReason, FollowUp
from .epoch import FenceCause, SendingEpoch
from .evaluation import PromptEvaluation
from .global_holdout import GlobalHoldout, GlobalHoldoutResult
from .message import DeliveryEvent, DeliveryKind, Message, MessageStatus, SkipReason
from .notification import Notification, NotificationChoice, NotificationKind
from .opt_in import OptInRequest
from .own_request import OwnRequest
from .pace import ContactCap, PaceBucket, PaceLimit, WarmUp
from .reporting import GroupsGiven, KnownTruth, WeeklyMail
from .result import CampaignResult
from .staged import StagedChange
from .text_share import TextShare
from .uplift import UpliftKind, UpliftStudy
from .variant import Angle, Archetype, DraftStatus, ValueBand, Variant
from .voice import BrandVoice, ShopPolicies

__all__ = [
    "ALLOWED_TRANSITIONS",
    "Angle",
    "Approval",
    "ApprovalPart",
    "Archetype",
    "Arm",
    "AudienceCell",
    "AudienceMember",
    "BrandVoice",
    "Campaign",
    "CampaignKind",
    "CampaignResult",
    "CampaignStatus",
    "CampaignTransition",
    "CommentPlace",
    "ContactCap",
    "CostRates",
    "CountryRule",
    "DeliveryEvent",
    "DeliveryKind",
    "DomainCheck",
    "DomainOverride",
    "DraftStatus",
    "Entry",
    "ExclusionReason",
    "ExitReason",
    "FenceCause",
    "FollowUp",
    "FourEyesSwitch",
    "GlobalHoldout",
    "GlobalHoldoutResult",
    "GroupsGiven",
    "KnownTruth",
    "Message",
    "MessageStatus",
    "Notification",
    "NotificationChoice",
    "NotificationKind",
    "Occurrence",
    "Offer",
    "OptInRequest",
    "OwnRequest",
    "PaceBucket",
    "PaceLimit",
    "Presence",
    "PromptEvaluation",
    "ReviewComment",
    "SendMode",
    "SendingEpoch",
    "ShopPolicies",
    "SkipReason",
    "StaffTime",
    "StagedChange",
    "TextShare",
    "TransitionConflict",
    "UpliftKind",
    "UpliftStudy",
    "ValueBand",
    "Variant",
    "WarmUp",
    "WeeklyMail",
]
