"""Forms of a connected shop: which one it is, and its keys."""

from __future__ import annotations

import re
import secrets
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from customers.ingest.schema import SOURCE_NAME
from customers.ingest.shops.addresses import BadAddress, read_address
from customers.ingest.shops.keys import LostKeys, ShopKeys, open_keys
from customers.models import ShopConnection


class ShopForm(forms.Form):
    """Kind, address, name, and the source under which the shop's customers are kept."""

    kind = forms.ChoiceField(
        label=gettext_lazy("Kind of shop"), choices=ShopConnection.Kind.choices, widget=forms.RadioSelect
    )
    address = forms.CharField(
        label=gettext_lazy("Address"),
        max_length=200,
        help_text=gettext_lazy(
            "Shopify: the one that ends in .myshopify.com. WooCommerce: the address of the shop, with https://."
        ),
    )
    name = forms.CharField(label=gettext_lazy("Name"), max_length=80, help_text=gettext_lazy("What you call it here."))
    source = forms.CharField(
        label=gettext_lazy("Source"),
        max_length=40,
        required=False,
        help_text=gettext_lazy(
            "Its customers and orders are kept under this word. Left blank, it is made of the kind and the name. Where you "
            "imported people by the shop's own numbers before, give the source that they have; it never changes again."
        ),
    )

    def clean_source(self) -> str:
        source = str(self.cleaned_data.get("source") or "").strip()
        if source and not SOURCE_NAME.fullmatch(source):
            raise forms.ValidationError(_("A source is 1 to 40 small letters, digits, - and _."))
        if source and ShopConnection.objects.filter(source=source).exists():
            raise forms.ValidationError(_("Another shop has this source already."))
        return source

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        if data.get("kind") and data.get("address"):
            try:
                data["address"] = read_address(data["kind"], data["address"])
            except BadAddress as error:
                self.add_error("address", str(error))
        return data

    def to_connection(self) -> ShopConnection:
        """The row, not yet saved."""
        data = self.cleaned_data
        return ShopConnection(
            kind=data["kind"], name=data["name"], address=data["address"], source=data["source"] or _make_source(data)
        )


class KeysForm(forms.Form):
    """Keys of a shop. What is kept is never shown; a field that is left blank keeps what it has."""

    key = forms.CharField(max_length=200, required=False)
    token = forms.CharField(max_length=300, required=False, widget=forms.PasswordInput)
    secret = forms.CharField(max_length=300, required=False, widget=forms.PasswordInput)

    def __init__(self, *args: Any, connection: ShopConnection, **options: Any) -> None:
        super().__init__(*args, **options)
        self._connection = connection
        words = _WORDS[ShopConnection.Kind(connection.kind)]
        for name, (label, help_text) in words.items():
            field = self.fields[name]
            field.label, field.help_text = label, help_text
            field.widget.attrs |= {"autocomplete": "off", "spellcheck": "false"}
        self.order_fields(words)
        needed = ("key", "token") if connection.kind == ShopConnection.Kind.WOOCOMMERCE else ("secret",)
        for name in needed:
            self.fields[name].required = not connection.has_keys

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or self.cleaned_data
        keys = self.to_keys()
        if self._connection.kind == ShopConnection.Kind.WOOCOMMERCE:
            if not (keys.key and keys.token):
                raise forms.ValidationError(_("Give the consumer key and the consumer secret."))
        elif not keys.secret or not (keys.token or keys.key):
            raise forms.ValidationError(_("Give the secret, and the client ID or an access token."))
        return data

    def to_keys(self) -> ShopKeys:
        """What was given, over what is kept; WooCommerce's webhooks get a secret of ours where nobody gives one."""
        try:
            kept = open_keys(self._connection)
        except LostKeys:
            kept = ShopKeys()
        given = {name: str(self.cleaned_data.get(name) or "").strip() for name in ("secret", "key", "token")}
        is_woo = self._connection.kind == ShopConnection.Kind.WOOCOMMERCE
        return ShopKeys(
            secret=given["secret"] or kept.secret or (secrets.token_urlsafe(32) if is_woo else ""),
            key=given["key"] or kept.key,
            token=given["token"] or kept.token,
        )


_WORDS: dict[ShopConnection.Kind, dict[str, tuple[Any, Any]]] = {
    ShopConnection.Kind.SHOPIFY: {
        "key": (gettext_lazy("Client ID"), gettext_lazy("Of the app that you made for this shop in Shopify's Dev Dashboard.")),
        "secret": (
            gettext_lazy("Client secret"),
            gettext_lazy("It signs the webhooks as well. For webhooks made by hand in Shopify's admin: the secret shown there."),
        ),
        "token": (
            gettext_lazy("Access token"),
            gettext_lazy("Only for an older app of the shop's own, whose token lasts (it begins with shpat_)."),
        ),
    },
    ShopConnection.Kind.WOOCOMMERCE: {
        "key": (
            gettext_lazy("Consumer key"),
            gettext_lazy("WooCommerce, Settings, Advanced, REST API: a key that may read and write."),
        ),
        "token": (gettext_lazy("Consumer secret"), ""),
        "secret": (
            gettext_lazy("Secret of the webhooks"),
            gettext_lazy("Only if you make the webhooks by hand: the one that you gave them. Else one is made."),
        ),
    },
}  # fmt: skip


def _make_source(data: dict[str, Any]) -> str:
    """kind-name in small letters, with a number where another shop has that."""
    word = re.sub(r"[^a-z0-9]+", "-", str(data["name"]).lower()).strip("-") or "shop"
    stem = f"{data['kind']}-{word}"[:36].rstrip("-")
    taken = set(ShopConnection.objects.filter(source__startswith=stem).values_list("source", flat=True))
    return next(name for name in (stem, *(f"{stem}-{n}" for n in range(2, 1000))) if name not in taken)
