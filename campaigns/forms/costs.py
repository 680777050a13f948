"""The prices of the shop, as a form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from django import forms
from django.conf import settings
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from campaigns.models import CampaignResult, CostRates
from customers.models import Channel


def list_doors() -> list[tuple[str, str]]:
    """(key, label) of what a message may be priced by: each channel, and each provider that messages of a measured campaign left
    by. Read from the campaigns' results, a few rows each, where the messages themselves may be millions."""
    labels = dict(Channel.choices)
    doors = [(channel, capfirst(str(label))) for channel, label in labels.items()]
    newest = CampaignResult.objects.order_by("campaign_id", "-day").distinct("campaign_id")
    counted = newest.values_list("figures__spending__sent", flat=True)
    routes = {(row["channel"], row["route"]) for sent in counted for row in sent or () if row["route"]}
    for channel, route in sorted(routes)[:40]:
        doors.append(
            (
                f"{channel}/{route}",
                capfirst(_("%(channel)s by %(route)s") % {"channel": labels[channel], "route": route}),
            )
        )
    return doors


class RatesForm(forms.Form):
    """All of them may stay empty: not known."""

    margin = forms.DecimalField(
        required=False, min_value=0, max_value=100, max_digits=5, decimal_places=2, label=gettext_lazy("Margin, percent"),
        help_text=gettext_lazy("What is left of an order's price before discounts, after the goods and their handling."),
    )  # fmt: skip
    staff_hour = forms.DecimalField(
        required=False, min_value=0, max_digits=12, decimal_places=2, label=gettext_lazy("An hour of work"),
        help_text=gettext_lazy("With all that an employer pays."),
    )  # fmt: skip
    delivery = forms.DecimalField(
        required=False, min_value=0, max_digits=12, decimal_places=2, label=gettext_lazy("Delivery of one order"),
        help_text=gettext_lazy("What free delivery costs the shop."),
    )  # fmt: skip
    model_exchange = forms.DecimalField(
        required=False, min_value=0, max_digits=12, decimal_places=6, label=gettext_lazy("Worth of one unit"),
    )  # fmt: skip

    def __init__(
        self, data: Mapping[str, Any] | None = None, *, rates: CostRates, doors: Sequence[tuple[str, str]]
    ) -> None:
        margin = None if rates.margin_share is None else (rates.margin_share * 100).normalize()
        initial = {
            "margin": None if margin is None else f"{margin:f}",
            "staff_hour": rates.staff_hour,
            "delivery": rates.delivery,
            "model_exchange": None if rates.model_exchange is None else f"{rates.model_exchange.normalize():f}",
        }
        super().__init__(data, initial=initial | {f"price:{key}": rates.message_prices.get(key) for key, _l in doors})
        currency = {"currency": settings.LLM_PRICE_CURRENCY, "shop": settings.SHOP_CURRENCY}
        self.fields["model_exchange"].help_text = (
            _("What one %(currency)s of the model's bill is in %(shop)s.") % currency
        )
        self.doors, self.rates = list(doors), rates
        for key, label in doors:
            self.fields[f"price:{key}"] = forms.DecimalField(
                required=False, min_value=0, max_digits=12, decimal_places=6, label=label
            )

    @property
    def prices(self) -> list[Any]:
        """The fields of one message's price."""
        return [self[f"price:{key}"] for key, _label in self.doors]

    def values(self) -> dict[str, Any]:
        """The columns of CostRates."""
        clean = self.cleaned_data
        margin = clean["margin"]
        prices = {key: clean[f"price:{key}"] for key, _label in self.doors}
        others = {key: price for key, price in self.rates.message_prices.items() if key not in prices}
        return {
            "margin_share": None if margin is None else Decimal(margin) / 100,
            "staff_hour": clean["staff_hour"],
            "delivery": clean["delivery"],
            "model_exchange": clean["model_exchange"],
            "message_prices": others
            | {key: format(price.normalize(), "f") for key, price in prices.items() if price is not None},
        }
