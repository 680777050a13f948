"""What we know: the tables of customers, their orders and behaviour, scores and segments."""

from .api_key import ApiKey, KeptAnswer
from .asked import Intent, Topic, tell_asked
from .audit import AuditAction, AuditEntry, record_audit
from .consent import Channel, ConsentRecord, SuppressedDomain, Suppression, TrackingConsent
from .customer import Customer, CustomerAlias
from .event import CustomerEvent, EventKind, HeldEvent, ensure_event_partitions
from .import_run import ImportFates, ImportRejection, ImportRun
from .intake import Entrance, IntakeDay, RefusedItem
from .interest import InterestProfile, ReadingStatus, TextReading, TextReadingSwitch
from .membership import SegmentChange, SegmentCount, SegmentMember, SegmentSize, TouchedCustomer, note_everybody
from .merge import CustomerMerge, MergeSuggestion
from .order import Order, OrderLine
from .outgoing import (
    TEST_KIND,
    OutgoingAttempt,
    OutgoingDelivery,
    OutgoingEndpoint,
    OutgoingEvent,
    OutgoingKind,
)
from .personal import ErasedPerson, KeptOnErasure, OnMerge, OutsideLine, PrivacyRequest, WishMark
from .preference import Preference, PreferenceChange
from .product import Product, ProductVersion
from .reaction import Reaction, ReactionGroup, ReactionKind
from .reading_hour import ReadingHour, ReadingPattern
from .score import ModelVersion, Score, ScoreHistory, ScoreMark, ScoreStatus, ScoreTotals
from .segment import Segment, SegmentRevision
from .shop import ShopConnection, ShopDelivery, ShopThing
from .tag import ColumnChoice, CustomerTag
from .watch import DriftReport, FairnessReport, Replay, SensitiveAttributes

__all__ = [
    "TEST_KIND",
    "ApiKey",
    "AuditAction",
    "AuditEntry",
    "Channel",
    "ColumnChoice",
    "ConsentRecord",
    "Customer",
    "CustomerAlias",
    "CustomerEvent",
    "CustomerMerge",
    "CustomerTag",
    "DriftReport",
    "Entrance",
    "ErasedPerson",
    "EventKind",
    "FairnessReport",
    "HeldEvent",
    "ImportFates",
    "ImportRejection",
    "ImportRun",
    "IntakeDay",
    "Intent",
    "InterestProfile",
    "KeptAnswer",
    "KeptOnErasure",
    "MergeSuggestion",
    "ModelVersion",
    "OnMerge",
    "Order",
    "OrderLine",
    "OutgoingAttempt",
    "OutgoingDelivery",
    "OutgoingEndpoint",
    "OutgoingEvent",
    "OutgoingKind",
    "OutsideLine",
    "Preference",
    "PreferenceChange",
    "PrivacyRequest",
    "Product",
    "ProductVersion",
    "Reaction",
    "ReactionGroup",
    "ReactionKind",
    "ReadingHour",
    "ReadingPattern",
    "ReadingStatus",
    "RefusedItem",
    "Replay",
    "Score",
    "ScoreHistory",
    "ScoreMark",
    "ScoreStatus",
    "ScoreTotals",
    "Segment",
    "SegmentChange",
    "SegmentCount",
    "SegmentMember",
    "SegmentRevision",
    "SegmentSize",
    "SensitiveAttributes",
    "ShopConnection",
    "ShopDelivery",
    "ShopThing",
    "SuppressedDomain",
    "Suppression",
    "TextReading",
    "TextReadingSwitch",
    "Topic",
    "TouchedCustomer",
    "TrackingConsent",
    "WishMark",
    "ensure_event_partitions",
    "note_everybody",
    "record_audit",
    "tell_asked",
]
