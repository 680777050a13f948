"""Makes the copy of an approved message for one person: slots, rendered parts, bytes for the wire."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.conf import settings

from campaigns.approval.hashing import hash_messages
from campaigns.approval.policy import needs_second_person
from campaigns.audience.caps import find_rivals
from campaigns.audience.channels import read_address
from campaigns.audience.country_rules import CountryRules, read_country_rules
from campaigns.audience.eligibility import exclusion_params
from campaigns.content.rendering import (
    MessageSource,
    Traits,
    find_tags,
    load_source,
    read_traits,
    render_message,
    short_slots,
    slots_for,
    source_hash,
)
from campaigns.models import Approval, ApprovalPart, Campaign, SkipReason, Variant
from customers.models import Customer

from .channels import Envelope, Letter
from .following import follow_slots, read_tracked
from .marking import Intent
from .mime import BadAddress, Sender, build_content, hash_body, unsubscribe_headers
from .names import derive_bounce_address, derive_name
from .outbox import ClaimedMessage
from .packing import pack, read_recipient
from .quiet import next_quiet
from .short_links import WAY_OUT, short_url
from .unsubscribe import preferences_url, unsubscribe_url

#: Texts and their approval are read one after the other: a change that comes in force between the two is no difference.
LOOKS: Final = 3


class StaleApproval(Exception):
    """The texts that would be sent are not the approved ones."""


class Unsendable(Exception):
    """This one copy cannot be made or addressed; `reason` goes into its row, and the others go on."""

    def __init__(self, reason: SkipReason, sentence: str) -> None:
        super().__init__(sentence)
        self.reason = reason


@dataclass(frozen=True)
class ApprovedTexts:
    """The sources of a campaign with the language of each, and the hash under which people approved them.

    `standing` names for each text of the campaign the one that stands in its place now: mostly itself.
    """

    approved_hash: str
    sources: Mapping[int, tuple[MessageSource, str]]
    standing: Mapping[int, int]

    def know(self, messages: Sequence[ClaimedMessage]) -> bool:
        """Whether they hold a text for each: one that was put in place after they were read they do not."""
        return all(message.variant_id in self.standing for message in messages)

    @property
    def tags(self) -> frozenset[str]:
        """The merge tags that any of them uses."""
        return frozenset().union(*(find_tags(source) for source, _language in self.sources.values()))


@dataclass(frozen=True)
class Batch:
    """What all copies of one batch share. `now` is the database's clock when it was claimed; `tracked` are the people whose
    opening we may see."""

    campaign: Campaign
    texts: ApprovedTexts
    customers: Mapping[int, Customer]
    traits: Mapping[int, Traits]
    tags: frozenset[str]
    tracked: frozenset[int]
    sender: Sender
    countries: CountryRules
    checks: Mapping[str, Any]
    now: dt.datetime
    channel: str = "email"


@dataclass(frozen=True)
class Copy:
    """One copy, ready to be marked and sent."""

    intent: Intent
    envelope: Envelope


def prepare_batch(
    campaign: Campaign,
    messages: Sequence[ClaimedMessage],
    *,
    now: dt.datetime,
    texts: ApprovedTexts | None = None,
    channel: str = "email",
) -> Batch:
    """Read what the copies need in a handful of queries; `texts` where they were read just now. Raises StaleApproval."""
    texts = texts or load_approved_texts(campaign)
    people, tags, rules = [message.customer_id for message in messages], texts.tags, read_country_rules()
    return Batch(
        campaign=campaign,
        texts=texts,
        customers=Customer.objects.in_bulk(people),
        traits=read_traits(people, tags),
        tags=tags,
        tracked=read_tracked(people),
        sender=Sender(settings.SHOP_NAME, settings.SHOP_FROM_EMAIL),
        countries=rules,
        checks=exclusion_params(campaign, now=now, rivals=find_rivals(campaign, now=now), rules=rules),
        now=now,
        channel=channel,
    )


def load_approved_texts(campaign: Campaign) -> ApprovedTexts:
    """The stored sources, after checking that they are what a second person approved. Raises StaleApproval."""
    for _look in range(LOOKS):
        texts = _read_approved(campaign)
        if texts is not None:
            return texts
    raise StaleApproval


def _read_approved(campaign: Campaign) -> ApprovedTexts | None:
    """None where what stands is not what is approved. The hash first and the texts last: what was replaced in between goes by a
    hash that no mark takes."""
    found = hash_messages(campaign)
    approvals = Approval.objects.filter(campaign=campaign, voided_at__isnull=True)
    if needs_second_person():
        approvals = approvals.filter(is_own=False).exclude(approved_by_id=campaign.author_id)
    hashes = dict(approvals.values_list("part", "part_hash"))
    if hashes.get(ApprovalPart.MESSAGES) != found or set(hashes) != set(ApprovalPart.values):
        return None
    sources, places, newest = {}, {}, {}
    for variant in Variant.everything.filter(archetype__campaign=campaign).select_related("archetype"):
        places[variant.pk] = place = (variant.archetype_id, variant.step, variant.label)
        if variant.retired_at is not None:
            continue
        source = load_source(variant)
        if source_hash(source) != variant.content_hash:
            return None
        sources[variant.pk], newest[place] = (source, variant.archetype.language), variant.pk
    return ApprovedTexts(found, sources, {pk: newest[place] for pk, place in places.items() if place in newest})


def make_copy(batch: Batch, message: ClaimedMessage) -> Copy:
    """Fill the approved text for one person. Deterministic but for the Date header. Raises Unsendable."""
    customer = batch.customers.get(message.customer_id)
    if customer is None:
        raise Unsendable(SkipReason.NO_ADDRESS, "the customer no longer exists")
    try:
        recipient = read_recipient(batch.channel, customer)
    except BadAddress as error:
        raise Unsendable(SkipReason.NO_ADDRESS, str(error)) from error
    try:
        return _fill(batch, message, customer, recipient)
    except Unsendable:
        raise
    except Exception as error:
        # Whatever a row may hold, it must park itself alone: a send of a million does not stop at one poison row.
        raise Unsendable(SkipReason.UNRENDERABLE, f"{type(error).__name__}: {error}"[:300]) from error


def _fill(batch: Batch, message: ClaimedMessage, customer: Customer, recipient: str) -> Copy:
    variant_id = batch.texts.standing[message.variant_id]
    source, _language = batch.texts.sources[variant_id]
    if source.channel != batch.channel:
        raise ValueError("the text was written for another channel")
    if message.is_in_doubt and variant_id != message.variant_id:
        # It may have left with the text of then, and the same key must not say something else.
        raise Unsendable(SkipReason.STALE_APPROVAL, "not known whether it left with the text that was replaced since")
    link = short_url(message.id, WAY_OUT) if batch.channel == "sms" else unsubscribe_url(message.id, customer.pk)
    slots = _slots(batch, message, customer, link, variant_id) if message.kept_slots is None else message.kept_slots
    rendered = render_message(source, slots)
    name = derive_name(message.campaign_id, message.step, message.customer_id, message.entry)
    message_id = f"<{name}@{batch.sender.domain}>" if batch.channel == "email" else name
    intent = Intent(
        message=message,
        variant_id=variant_id,
        address=read_address(batch.channel, customer),
        slots_json=json.dumps(dict(slots), ensure_ascii=False),
        body_hash=hash_body(rendered),
        message_id=message_id,
        approved_hash=batch.texts.approved_hash,
        channel=batch.channel,
        quiet_at=next_quiet(customer, batch.countries, batch.now, batch.channel),
    )
    if batch.channel != "email":
        return Copy(intent, pack(batch.channel, rendered, customer=customer, recipient=recipient, name=name))
    content = build_content(
        rendered,
        sender=batch.sender,
        recipient=recipient,
        message_id=message_id,
        unsubscribe_url=link,
        sent_at=batch.now,
    )
    letter = Letter(
        batch.sender.name, batch.sender.address, rendered.subject, rendered.text, rendered.html,
        headers={"Message-ID": message_id} | unsubscribe_headers(link),
    )  # fmt: skip
    bounces_to = settings.EMAIL_BOUNCE_ADDRESS
    sender = derive_bounce_address(name, bounces_to) if bounces_to else batch.sender.address
    return Copy(intent, Envelope(sender, recipient, content, name, letter))


def _slots(batch: Batch, message: ClaimedMessage, customer: Customer, link: str, variant_id: int) -> Mapping[str, str]:
    source, language = batch.texts.sources[variant_id]
    known, rule = batch.traits.get(customer.pk, Traits()), batch.countries.find(customer.country)
    slots = slots_for(
        customer,
        language=language,
        unsubscribe_url=link,
        preferences_url=preferences_url(message.id, customer.pk),
        subject_prefix=f"{rule.subject_prefix} " if rule and rule.subject_prefix else "",
        tags=batch.tags,
        traits=known,
    )
    return (
        slots
        | short_slots(source, language)
        | follow_slots(source, message_id=message.id, customer_id=customer.pk, tracked=batch.tracked)
    )
