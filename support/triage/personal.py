"""What says who the writer of a conversation is, and must not leave the house."""

from __future__ import annotations

from customers.features.interests.personal import personal_values
from llm.masking import PersonalKind, PersonalValue
from support.models import Ticket


def find_personal_values(ticket: Ticket) -> list[PersonalValue]:
    """Names, addresses and numbers of the writer, for `llm.masking`."""
    values = [PersonalValue(ticket.writer_name), PersonalValue(ticket.writer_email, PersonalKind.EMAIL)]
    if ticket.customer is not None:
        values += personal_values(ticket.customer)
    return [value for value in values if value.value.strip()]
