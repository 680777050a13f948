"""Erases everybody whom a connected shop asked to have erased: the answer to Shopify's shop/redact."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from customers.models import Customer, PrivacyRequest, ShopConnection
from customers.privacy.erasure import erase_customer


class Command(BaseCommand):
    """Says how many there are; acts with --yes. One transaction per person, so it may be stopped and run again."""

    help = "Erase everybody for whom a shop asked for an erasure (says how many; --yes does it)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("source", help="the source of the shop, as its page says")
        parser.add_argument("--yes", action="store_true", help="really erase")

    def handle(self, *_args: Any, **options: Any) -> None:
        source = str(options["source"])
        if not ShopConnection.objects.filter(source=source).exists():
            raise CommandError(f"There is no shop with the source “{source}”.")
        asked = PrivacyRequest.objects.filter(
            status=PrivacyRequest.Status.OPEN, kind=PrivacyRequest.Kind.ERASURE, source=f"shop:{source}"[:80]
        )
        numbers = list(asked.order_by("pk").values_list("customer_number", flat=True))
        if not options["yes"]:
            self.stdout.write(
                f"{len(numbers):,} people of “{source}” are to be erased. Add --yes to do it: it cannot be undone."
            )
            return
        erased = 0
        for customer in (
            Customer.objects.known().filter(pk__in=[number for number in numbers if number]).iterator(1_000)
        ):
            erase_customer(customer, actor=None, reason="asked by the shop", now=timezone.now())
            erased += 1
        self.stdout.write(f"{erased:,} people erased.")
