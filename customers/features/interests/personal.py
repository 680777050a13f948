"""What is known of a customer and must not leave the house."""

from __future__ import annotations

from typing import Final

from customers.models import Customer
from llm.masking import PersonalKind, PersonalValue

#: Keys of a customer's attributes whose values say who or where somebody is.
PERSONAL_ATTRIBUTES: Final = (
    "name", "mail", "phone", "mobile", "tel", "fax", "address", "street", "city", "town", "zip", "post", "birth",
    "iban", "card", "account", "company", "vat", "tax", "user", "login",
)  # fmt: skip


def personal_values(customer: Customer) -> list[PersonalValue]:
    """Names, addresses and numbers of a customer, for `llm.masking`; none of them blank."""
    full_name = f"{customer.first_name} {customer.last_name}".strip()
    reversed_name = f"{customer.last_name}{customer.first_name}"
    values = [
        PersonalValue(full_name),
        PersonalValue(reversed_name),
        PersonalValue(customer.first_name),
        PersonalValue(customer.last_name),
        PersonalValue(customer.email, PersonalKind.EMAIL),
        PersonalValue(customer.external_id, PersonalKind.ID),
    ]
    attributes = customer.attributes if isinstance(customer.attributes, dict) else {}
    values += [
        PersonalValue(str(value), PersonalKind.ADDRESS)
        for key, value in attributes.items()
        if isinstance(value, str | int) and any(part in str(key).lower() for part in PERSONAL_ATTRIBUTES)
    ]
    return [value for value in values if value.value.strip()]
