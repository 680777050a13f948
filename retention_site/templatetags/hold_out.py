"""What the customer's page tells of the global hold-out."""

from __future__ import annotations

from django import template
from django.utils import timezone

from campaigns.audience.global_holdout import is_held_out, read_round
from campaigns.models import GlobalHoldout
from customers.models import Customer

register = template.Library()


@register.simple_tag
def global_arm(customer: Customer) -> GlobalHoldout | None:
    """The round that holds this customer out of all promotions now; None where none does."""
    holdout = read_round(timezone.now())
    return holdout if is_held_out(holdout, customer.pk) else None
