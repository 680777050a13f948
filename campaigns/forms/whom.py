"""What a sale leaves and what a message costs, and which share of an audience is written to."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from campaigns.outcomes.pricing import find_message_price, read_rates
from campaigns.outcomes.whom.profit import STEPS, Terms
from customers.models import Channel

USUAL_MARGIN = 40
USUAL_COST = Decimal("0.02")


class TermsForm(forms.Form):
    """Asked in the address of the page, so that a view of it can be passed on."""

    margin = forms.IntegerField(
        min_value=1, max_value=100, label=gettext_lazy("Left of a sale, in %"),
        help_text=gettext_lazy("Of the price before a discount, after goods and handling."),
    )  # fmt: skip
    cost = forms.DecimalField(
        min_value=0, max_value=1000, max_digits=8, decimal_places=4,
        label=gettext_lazy("One message costs"),
        help_text=gettext_lazy("Sending, and the part of the texts. A discount is counted by itself."),
    )  # fmt: skip

    def __init__(self, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data, initial=_read_own_prices())

    def read_terms(self) -> Terms:
        """As entered; where something is missing or no number, the shop's own prices, or the usual ones."""
        cleaned = {**self.initial, **(self.cleaned_data if self.is_bound and self.is_valid() else {})}
        return Terms(int(cleaned["margin"]) / 100, float(cleaned["cost"]))


def _read_own_prices() -> dict[str, Any]:
    """What the shop says of itself under Reports, Cost."""
    rates = read_rates()
    margin = USUAL_MARGIN if rates.margin_share is None else round(100 * rates.margin_share)
    price = find_message_price(rates.message_prices, Channel.EMAIL, "")
    return {"margin": max(margin, 1), "cost": USUAL_COST if price is None else price}


class TargetingForm(forms.Form):
    """The share of an audience that is written to, in per cent, 100 for everybody; and how many of the others all the same."""

    write_percent = forms.TypedChoiceField(coerce=int, label=gettext_lazy("Written to"))
    explore_percent = forms.TypedChoiceField(
        coerce=int, label=gettext_lazy("Of the others, at random"),
        help_text=gettext_lazy("Written to, or held out, as all are. Without them nobody could ever find out that they changed."),
    )  # fmt: skip

    def __init__(self, *args: Any, write_percent: int = 100, explore_percent: int = 10, **named: Any) -> None:
        """With the shares that a campaign has now, which the API may have set to any."""
        super().__init__(*args, **named)
        written = {100 * step // STEPS for step in range(1, STEPS + 1)}
        self._offer("write_percent", written, write_percent)
        self._offer("explore_percent", {5, 10, 20, 30, 50}, explore_percent)

    def _offer(self, name: str, shares: set[int], now: int) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(str(share), f"{share}%") for share in sorted(shares | {now})]
        field.initial = str(now)
