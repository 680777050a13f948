"""Addresses of e-mail in the one form in which they are kept: no blanks around, the domain in small letters and in ASCII."""

from __future__ import annotations

import polars as pl

#: What may be an address at all: something, an @, and a domain with a dot in it. Whether it exists only a mail can tell.
SHAPE = r"^[^\s@,;<>\"]{1,64}@[^\s@,;<>\"]+\.[^\s@,;<>\".]{2,}$"


def normalise_email(text: str) -> str:
    """Capitals before the @ stay, because a mail server may tell them apart; what is no address stays as it is."""
    text = text.strip()
    local, at, domain = text.rpartition("@")
    if not local or not domain:
        return text
    folded = domain.lower().rstrip(".")
    if not folded.isascii():
        try:
            folded = folded.encode("idna").decode("ascii")
        except UnicodeError:
            return text
    return f"{local}{at}{folded}"


def normalise_emails(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame of customers with its column email so, whole columns at a time; the few outside ASCII one by one."""
    if "email" not in frame.columns or frame["email"].dtype != pl.String:
        return frame
    given = frame["email"].str.strip_chars()
    parts = given.str.extract_groups(r"^(.+)@([^@]+?)\.?$").struct.unnest()
    plain = pl.select(
        pl.when(parts["1"].is_not_null())
        .then(pl.concat_str([parts["1"], parts["2"].str.to_lowercase()], separator="@"))
        .otherwise(given)
    ).to_series()
    odd = plain.str.len_bytes() != plain.str.len_chars()
    if odd.any():
        plain = pl.Series(
            [normalise_email(text) if text and is_odd else text for text, is_odd in zip(plain, odd, strict=True)],
            dtype=pl.String,
        )
    return frame.with_columns(plain.alias("email"))
