"""Checks the rows of a file, whole columns at a time: what is good goes on, what is not gets its reason."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl
from django.utils.translation import gettext_lazy as _

from .damage import MARK, SHOWN
from .dates import to_utc
from .numbers import NUMBER, to_decimal
from .schema import CURRENCIES

EARLIEST = dt.datetime(1990, 1, 1, tzinfo=dt.UTC)
#: A clock of the shop may be ahead of ours, or the file's time zone may be wrong by some hours.
FUTURE_TOLERANCE = dt.timedelta(days=1)
MAX_QUANTITY = 10**9
MAX_MONEY = 10**10
MAX_LENGTHS = {"customer": 120, "order": 120, "product": 80}
BLANKS = ("", "nan", "null", "none", "n/a", "<na>", "#n/a")
#: Longest text kept of a line that was left out.
CONTENT_LENGTH = 500
#: Why a line is left out, for people, in the order in which the checks are made: the first that fails is the reason.
REASONS = {
    "broken_line": _("too many or too few columns"),
    "bad_letters": _("bytes that are no letters in the encoding of the file: it is damaged there"),
    "missing_customer": _("no customer"),
    "bad_date": _("no date, or one that cannot be read"),
    "date_too_old": _("a date before 1990"),
    "date_in_future": _("a date in the future"),
    "bad_quantity": _("no quantity, or one that is no whole number other than 0"),
    "bad_price": _("no price or amount, or one that cannot be read"),
    "negative_price": _("a negative price"),
    "bad_currency": _("no ISO currency, or another one than the rest of the order has"),
    "too_long": _("an order number, article number or customer's id that is too long"),
    "bad_character": _("the character NUL, which cannot be kept"),
    "duplicate_line": _("exactly the same line stands above"),
    "other_customer": _("the order belongs to another customer"),
    "erased": _("the person was erased"),
    "missing_product": _("no article number"),
    "unknown_customer": _("a customer who is not known here"),
    "stands_again": _("the same stands again below, and the last one counts"),
    "bad_email": _("what is no e-mail address"),
    "bad_phone": _("what is no telephone number"),
    "bad_url": _("what is no web address"),
    "bad_stock": _("a stock that is no whole number"),
    "bad_kind": _("a kind of event that is not known"),
    "bad_properties": _("properties that are no JSON object"),
    "bad_status": _("neither a yes nor a no"),
    "bad_channel": _("a channel that is not known"),
    "said_no": _(
        "a consent of somebody who said no or has yet to confirm, or whose consent lapsed: a file never raises it"
    ),
}
#: The columns of cleaned rows, as they are staged.
CLEAN_COLUMNS: dict[str, str] = {
    "line": "bigint",
    "row_hash": "bigint",
    "order": "varchar(160)",
    "customer": "varchar(120)",
    "at": "timestamptz",
    "product": "varchar(80)",
    "name": "varchar(250)",
    "quantity": "integer",
    "unit_price": "numeric(14,4)",
    "amount": "numeric(18,4)",
    "currency": "varchar(3)",
    "country": "varchar(80)",
}


@dataclass(frozen=True)
class Reading:
    """How the values of one file are to be understood. `places` gives the column of each field; `is_damaged`: some values
    may hold `damage.MARK`."""

    places: Mapping[str, int]
    currency: str
    time_zone: str
    now: dt.datetime
    date_order: str = ""
    decimal_mark: str = "."
    is_damaged: bool = False


@dataclass(frozen=True)
class Cleaned:
    """Good rows with CLEAN_COLUMNS, and left-out rows with line, reason and content."""

    good: pl.DataFrame
    left_out: pl.DataFrame


@dataclass
class Checks:
    """Collects the masks of rows that fail a check, in the order of the checks."""

    masks: list[tuple[str, pl.Series]] = field(default_factory=list)

    def add(self, reason: str, fails: pl.Series) -> None:
        if fails.any():
            self.masks.append((reason, fails.fill_null(value=False)))

    def reasons(self, height: int) -> pl.Series:
        chosen: pl.Expr = pl.lit(None, dtype=pl.String)
        for reason, mask in reversed(self.masks):
            chosen = pl.when(mask).then(pl.lit(reason)).otherwise(chosen)
        rows = pl.DataFrame({"row": pl.int_range(height, eager=True)})
        return rows.with_columns(chosen.alias("reason"))["reason"]


def clean_rows(frame: pl.DataFrame, reading: Reading) -> Cleaned:
    """Check the rows of a batch (columns `line`, `c0`, `c1`, …). No row is lost: each is good or left out."""
    checks = Checks()
    check_letters(frame, reading, checks)
    customer = read_key(frame, reading, "customer")
    checks.add("missing_customer", customer.is_null())
    at = read_times(frame, reading, checks)
    quantity, unit_price, amount = _read_money(frame, reading, checks)
    currency = read_currency(frame, reading, checks)
    order, product, name = (read_key(frame, reading, key) for key in ("order", "product", "name"))
    country = read_key(frame, reading, "country")
    product = product if "product" in reading.places else name.str.slice(0, MAX_LENGTHS["product"])
    if order.null_count():
        order = order.fill_null(_order_of_moment(customer, at))
    for key, text in (("customer", customer), ("order", order), ("product", product)):
        checks.add("too_long", text.str.len_chars() > MAX_LENGTHS[key])
    for text in (customer, order, product, name, country):
        checks.add("bad_character", text.str.contains("\0", literal=True))
    clean = pl.DataFrame(
        {
            "line": frame["line"],
            "row_hash": frame.drop("line").hash_rows(seed=0).reinterpret(signed=True),
            "order": order,
            "customer": customer,
            "at": at,
            "product": product,
            "name": name.str.slice(0, 250),
            "quantity": quantity,
            "unit_price": unit_price,
            "amount": amount,
            "currency": _said_only(currency, frame, reading),
            "country": country.str.slice(0, 80),
        }
    )
    cleaned = split_rows(frame, clean, checks.reasons(frame.height))
    return Cleaned(cleaned.good.with_columns(pl.col("quantity").cast(pl.Int32)), cleaned.left_out)


def split_rows(frame: pl.DataFrame, clean: pl.DataFrame, reasons: pl.Series) -> Cleaned:
    is_good = reasons.is_null()
    good = clean.filter(is_good)
    left_out = frame.with_columns(reasons).filter(~is_good)
    texts = [pl.col(name).cast(pl.String).fill_null("") for name in frame.columns if name != "line"]
    content = pl.concat_str(texts, separator=" | ").str.replace_all("\0", "", literal=True)
    content = content.str.replace_all(MARK, SHOWN, literal=True)
    return Cleaned(good, left_out.select("line", "reason", content.str.slice(0, CONTENT_LENGTH).alias("content")))


def check_letters(frame: pl.DataFrame, reading: Reading, checks: Checks) -> None:
    """Before all other checks: values of a damaged file that are not whole, in the columns that are read."""
    names = sorted({f"c{place}" for place in reading.places.values()})
    texts = [name for name in names if reading.is_damaged and frame[name].dtype == pl.String]
    if texts:
        has_mark = pl.any_horizontal(pl.col(texts).str.contains(MARK, literal=True).fill_null(value=False))
        checks.add("bad_letters", frame.select(has_mark).to_series())


def read_key(frame: pl.DataFrame, reading: Reading, key: str) -> pl.Series:
    """A text without blanks around it; blank ones and words for “nothing” are null, and 17850.0 is 17850."""
    if key not in reading.places:
        return pl.Series(key, [None] * frame.height, dtype=pl.String)
    values = frame[f"c{reading.places[key]}"]
    if values.dtype.is_float():
        values = _say_whole(values.fill_nan(None))
    texts = values.cast(pl.String, strict=False).str.strip_chars()
    if key in {"customer", "order", "phone"} and texts.str.ends_with(".0").any():
        texts = texts.str.replace(r"^(\d+)\.0$", "$1")
    is_blank = (texts.str.len_bytes() <= 4) & texts.str.to_lowercase().is_in(BLANKS)
    return texts.set(is_blank, None) if is_blank.any() else texts


def _say_whole(values: pl.Series) -> pl.Series:
    """Floats as text, whole ones without a point: a column of whole numbers with gaps often comes as floats."""
    whole = values.cast(pl.Int64, strict=False)
    texts = values.cast(pl.String)
    return whole.cast(pl.String).zip_with((whole.cast(values.dtype) == values).fill_null(value=False), texts)


def read_times(frame: pl.DataFrame, reading: Reading, checks: Checks) -> pl.Series:
    values = frame[f"c{reading.places['at']}"]
    at = to_utc(values, time_zone=reading.time_zone, date_order=reading.date_order)
    checks.add("bad_date", at.is_null())
    checks.add("date_too_old", at < EARLIEST)
    checks.add("date_in_future", at > reading.now + FUTURE_TOLERANCE)
    return at


def _read_money(frame: pl.DataFrame, reading: Reading, checks: Checks) -> tuple[pl.Series, pl.Series, pl.Series]:
    """Quantity (never 0), price of one piece (never negative) and signed amount of each line.

    Where only the amount is known, its sign and that of the quantity say together whether something came back.
    """
    numbers = {
        key: to_decimal(frame[f"c{reading.places[key]}"], decimal_mark=reading.decimal_mark)
        for key in ("quantity", "price", "amount")
        if key in reading.places
    }
    ones = pl.select(pl.repeat(1, frame.height, dtype=pl.Int64)).to_series().cast(NUMBER)
    quantity = numbers.get("quantity", ones)
    whole = quantity.cast(pl.Int64, strict=False)
    checks.add("bad_quantity", whole.is_null() | (whole.cast(NUMBER) != quantity) | (whole == 0))
    checks.add("bad_quantity", whole.abs() > MAX_QUANTITY)
    if "price" in numbers:
        price = numbers["price"]
        checks.add("bad_price", price.is_null() | (price.abs() >= MAX_MONEY))
        checks.add("negative_price", price < 0)
        amount = _multiply(whole, price)
        checks.add("bad_price", amount.is_null() | (amount.abs() >= MAX_MONEY))
        return whole, price, amount
    given = numbers["amount"]
    checks.add("bad_price", given.is_null() | (given.abs() >= MAX_MONEY))
    is_back = (whole < 0) | (given < 0)
    sign = pl.select(pl.when(is_back).then(-1).otherwise(1)).to_series()
    pieces = whole.abs()
    exact = pl.DataFrame({"given": given, "pieces": pieces}).select(
        (pl.col("given").abs() / pl.when(pl.col("pieces") > 0).then("pieces").cast(NUMBER)).cast(NUMBER, strict=False)
    )
    return pieces * sign, exact.to_series(), _multiply(sign, given.abs())


def _multiply(counts: pl.Series, money: pl.Series) -> pl.Series:
    small = money.set(money.abs() >= MAX_MONEY, None)  # a product that cannot be said in 38 digits would raise
    return counts.clip(-MAX_QUANTITY, MAX_QUANTITY).cast(NUMBER) * small


def _said_only(currency: pl.Series, frame: pl.DataFrame, reading: Reading) -> pl.Series:
    """Null where the file has a column for it and the cell is blank: then the order's other lines say it (Shopify's file of
    orders says it on the first line alone)."""
    if "currency" not in reading.places:
        return currency
    is_said = read_key(frame, reading, "currency").is_not_null()
    return currency.zip_with(is_said, pl.Series([None] * frame.height, dtype=pl.String))


def read_currency(frame: pl.DataFrame, reading: Reading, checks: Checks) -> pl.Series:
    if "currency" not in reading.places:
        return pl.select(pl.repeat(reading.currency, frame.height, dtype=pl.String)).to_series()
    currency = read_key(frame, reading, "currency").str.to_uppercase().fill_null(reading.currency)
    checks.add("bad_currency", ~currency.is_in(sorted(CURRENCIES)))
    return currency


def _order_of_moment(customer: pl.Series, at: pl.Series) -> pl.Series:
    """Where orders have no number, one customer's lines of one moment are an order."""
    return (
        pl.DataFrame({"customer": customer, "at": at})
        .select(pl.format("{}@{}", "customer", pl.col("at").dt.strftime("%Y-%m-%dT%H:%M:%SZ")))
        .to_series()
    )
