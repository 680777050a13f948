"""Forms of an import: the file, then which of its columns is what and how its values are to be read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from django import forms
from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from customers.ingest.column_guess import guess_columns
from customers.ingest.preview import Sample
from customers.ingest.schema import (
    CURRENCIES,
    ENCODINGS,
    ORDERS,
    FileProblem,
    ImportOptions,
    fields_of,
    find_columns,
    required_of,
)
from customers.models.customer import zone_names

from .import_words import KIND_WORDS, RECORD_WORDS, ColumnWords

#: In the order in which they are asked for.
COLUMN_WORDS: Final = {
    "customer": ColumnWords(
        gettext_lazy("Customer"), gettext_lazy("A number, id or address that is the same in all of a person’s orders.")
    ),
    "at": ColumnWords(gettext_lazy("Day and time")),
    "price": ColumnWords(gettext_lazy("Price of one piece"), gettext_lazy("Either this, or the amount of the line.")),
    "amount": ColumnWords(
        gettext_lazy("Amount of the line"), gettext_lazy("All pieces together, where there is no price of one piece.")
    ),
    "quantity": ColumnWords(
        gettext_lazy("Pieces"), gettext_lazy("Without it every line is one piece. Less than 0: sent back.")
    ),
    "order": ColumnWords(
        gettext_lazy("Order number"), gettext_lazy("Without it, a customer’s lines of one moment are one order.")
    ),
    "product": ColumnWords(gettext_lazy("Article number")),
    "name": ColumnWords(gettext_lazy("Article name"), gettext_lazy("Tells what people like.")),
    "country": ColumnWords(gettext_lazy("Country")),
    "currency": ColumnWords(
        gettext_lazy("Currency of the order"), gettext_lazy("Only where not all orders have the same one.")
    ),
}
#: Two fields that may be read from one column: an article is often known by its name alone, a person by their address.
_SHAREABLE: Final = ({"product", "name"}, {"customer", "email"})


def words_of(kind: str) -> Mapping[str, ColumnWords]:
    """The words for the fields of a kind of file."""
    return COLUMN_WORDS if kind == ORDERS else RECORD_WORDS[kind]


class UploadForm(forms.Form):
    """A file and what its lines are; which column is what is asked on the next page."""

    kind = forms.ChoiceField(
        label=gettext_lazy("What is in it?"), required=False, initial=ORDERS,
        choices=[(kind, words.label) for kind, words in KIND_WORDS.items()],
    )  # fmt: skip

    file = forms.FileField(label=gettext_lazy("CSV or Parquet file"))


class ColumnsForm(forms.Form):
    """One choice for each of our fields among the file's columns, and how times and money are to be read."""

    currency = forms.CharField(
        label=gettext_lazy("Currency"), max_length=20,
        help_text=gettext_lazy("Of the prices, where no column says it."),
        widget=forms.TextInput(attrs={"list": "currencies", "autocomplete": "off"}),
    )  # fmt: skip
    time_zone = forms.CharField(
        label=gettext_lazy("Time zone"), max_length=64,
        help_text=gettext_lazy("Of times that do not say theirs."),
        widget=forms.TextInput(attrs={"list": "time-zones", "autocomplete": "off"}),
    )  # fmt: skip
    date_order = forms.ChoiceField(
        label=gettext_lazy("Dates such as 03/04/2011"), required=False,
        choices=[
            ("", gettext_lazy("found out from the file")),
            ("day_first", gettext_lazy("day first: 3 April")),
            ("month_first", gettext_lazy("month first: 4 March")),
        ],
    )  # fmt: skip
    encoding = forms.ChoiceField(
        label=gettext_lazy("Letters of the file"), required=False,
        choices=[("", gettext_lazy("found out from the file")), *((name, name.upper()) for name in ENCODINGS)],
        help_text=gettext_lazy("Only where letters look wrong."),
    )  # fmt: skip
    test_contacts = forms.BooleanField(
        label=gettext_lazy("Give customers without an address a test address"), required=False,
        help_text=gettext_lazy(
            "For trying things out: an address under .test and a consent marked as a test. Only the built-in mail"
            " catcher takes them."
        ),
    )  # fmt: skip

    def __init__(
        self, data: Mapping[str, Any] | None = None, *, sample: Sample, kind: str = ORDERS, **options: Any
    ) -> None:
        super().__init__(data, **options)
        self.sample, self.kind = sample, kind
        for key, words in words_of(kind).items():
            self.fields[f"column_{key}"] = forms.ChoiceField(
                label=words.label, help_text=words.help, required=key in required_of(kind), choices=_list_choices(sample),
                error_messages={"required": _("Choose the column that holds it.")},
            )  # fmt: skip

    @property
    def needed(self) -> list[forms.BoundField]:
        """The columns without which nothing can be imported."""
        return [self[f"column_{key}"] for key in self._needed]

    @property
    def useful(self) -> list[forms.BoundField]:
        """The columns that make the figures better."""
        return [self[f"column_{key}"] for key in words_of(self.kind) if key not in self._needed]

    @property
    def reading(self) -> list[forms.BoundField]:
        """How values are to be read, as far as such a file has them."""
        names = {ORDERS: ("currency", "time_zone", "date_order", "encoding"), "products": ("currency", "encoding")}
        return [self[name] for name in names.get(self.kind, ("time_zone", "date_order", "encoding"))]

    @property
    def unasked(self) -> list[forms.BoundField]:
        """The others, which keep what they have."""
        asked = {bound.name for bound in self.reading}
        return [self[name] for name in ("currency", "time_zone", "date_order", "encoding") if name not in asked]

    @property
    def _needed(self) -> tuple[str, ...]:
        return ("customer", "at", "price", "amount") if self.kind == ORDERS else required_of(self.kind)

    def clean_currency(self) -> str:
        code = str(self.cleaned_data["currency"]).strip().upper()
        _check(ImportOptions(columns=_WHOLE, currency=code, time_zone="UTC"))
        return code

    def clean_time_zone(self) -> str:
        name = str(self.cleaned_data["time_zone"]).strip()
        _check(ImportOptions(columns=_WHOLE, currency="EUR", time_zone=name))
        return name

    def clean(self) -> dict[str, Any]:
        """Each column is there once and read once, and there is a price or an amount."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        columns = self.chosen_columns()
        taken: dict[str, str] = {}
        for key, column in columns.items():
            try:
                find_columns(self.sample.header, {key: column})
            except FileProblem as problem:
                self.add_error(f"column_{key}", str(problem))
            if column in taken and {key, taken[column]} not in _SHAREABLE:
                self.add_error(
                    f"column_{key}",
                    _("“%(column)s” is already chosen for: %(field)s.")
                    % {"column": column, "field": words_of(self.kind)[taken[column]].label},
                )
            taken.setdefault(column, key)
        if self.kind != ORDERS:
            return cleaned
        has_errors = {"column_price", "column_amount"} & set(self.errors)
        if not has_errors and "price" in columns and "amount" in columns:
            self.add_error("column_amount", _("The price of one piece is chosen already; choose one of the two."))
        elif not has_errors and not {"price", "amount"} & set(columns):
            self.add_error("column_price", _("Choose a column here, or for the amount of the line."))
        return cleaned

    def to_options(self) -> ImportOptions:
        """The choices of a valid form."""
        return ImportOptions(
            columns=self.chosen_columns(),
            currency=self.cleaned_data["currency"],
            time_zone=self.cleaned_data["time_zone"],
            date_order=self.cleaned_data["date_order"],
            encoding=self.cleaned_data["encoding"],
            test_contacts=self.cleaned_data["test_contacts"] and self.kind == ORDERS,
            kind=self.kind,
        )

    def chosen_columns(self) -> dict[str, str]:
        """The columns that were chosen and may be, by field, once the form is checked."""
        found = {key: self.cleaned_data.get(f"column_{key}") for key in fields_of(self.kind)}
        return {key: str(column) for key, column in found.items() if column}

    def without_errors(self) -> ColumnsForm:
        """The same choices, not judged yet; columns that the file does not have are guessed afresh."""
        typed = {name: self.data.get(name) for name in self.fields}
        guessed = start_choices(self.sample, self.kind)
        for name, value in typed.items():
            if name.startswith("column_") and value and value not in self.sample.header:
                typed[name] = guessed.get(name, "")
        return ColumnsForm(sample=self.sample, kind=self.kind, initial=typed)


def start_choices(sample: Sample, kind: str = ORDERS) -> dict[str, Any]:
    """The choices to begin with: columns guessed from their names, currency and time zone of the shop."""
    guessed = {f"column_{key}": column for key, column in guess_columns(sample.header, kind).items()}
    return guessed | {"currency": settings.SHOP_CURRENCY, "time_zone": settings.SHOP_TIME_ZONE}


def kept_choices(options: Mapping[str, Any]) -> dict[str, Any]:
    """The choices that a run was counted with, for the form to begin with."""
    chosen = {f"column_{key}": column for key, column in options.get("columns", {}).items()}
    return chosen | {
        name: options[name]
        for name in ("currency", "time_zone", "date_order", "encoding", "test_contacts")
        if options.get(name)
    }


def known_values() -> Mapping[str, list[str]]:
    """What the browser may complete."""
    return {"currencies": sorted(CURRENCIES), "time-zones": sorted(zone_names())}


def _list_choices(sample: Sample) -> list[tuple[str, str]]:
    """Every named column with an example of what stands in it."""
    choices = [("", _("– not in this file –"))]
    for place, title in enumerate(sample.header):
        example = sample.find_example(place)
        if title.strip():
            choices.append((title, f"{title} ({example[:30]})" if example else title))
    return choices


#: Columns that leave nothing to say about columns.
_WHOLE: Final = {"customer": "c", "at": "t", "price": "p"}


def _check(options: ImportOptions) -> None:
    """The ingest's own check, at the field that it is about."""
    try:
        options.check()
    except FileProblem as problem:
        raise forms.ValidationError(str(problem)) from problem
