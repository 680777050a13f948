"""Whose conversation it is."""

from __future__ import annotations

from customers.models import Customer, CustomerAlias


def find_writer(email: str) -> Customer | None:
    """The one known customer with this address; None where there is none or more than one: a person decides then."""
    if not email.strip():
        return None
    found = list(Customer.objects.known().with_email(email)[:2])
    return found[0] if len(found) == 1 else None


def find_customer(source: str, external_id: str) -> Customer | None:
    """By the shop's own id, or by one that was merged into another."""
    customer = Customer.objects.known().filter(source=source, external_id=external_id).first()
    if customer is None:
        alias = (
            CustomerAlias.objects.filter(source=source, external_id=external_id, is_visitor=False)
            .select_related("customer")
            .first()
        )
        customer = alias.customer if alias else None
    return customer
