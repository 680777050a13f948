"""How the values of a whole file are to be understood, found out before any is read for good."""

from __future__ import annotations

import datetime as dt

from django.utils.translation import gettext as _

from .cleaning import Reading
from .dates import find_date_order
from .numbers import find_decimal_mark
from .reading import Table, read_batches
from .schema import ImportOptions, find_columns


def settle_reading(table: Table, options: ImportOptions, now: dt.datetime) -> tuple[Reading, list[str]]:
    """Find out what only the values tell: the order of day and month, and the decimal mark. With notes for people."""
    places = find_columns(table.header, options.columns)
    notes = []
    if table.is_text:
        notes.append(_("Read as %(encoding)s.") % {"encoding": table.content.encoding.upper()})
    if table.content.is_damaged:
        notes.append(_("The file is damaged in places: some of its bytes are no letters in that encoding."))
    date_order, mark = options.date_order, "."
    moments = [places["at"]] if "at" in places else []
    money = [places[key] for key in ("price", "amount") if key in places]
    is_open = False
    for count, batch in enumerate(read_batches(table, only=sorted({*moments, *money}) or [0])):
        if not count and any(find_decimal_mark(batch.frame[f"c{place}"]) == "," for place in money):
            mark = ","
        if date_order or not moments:
            break
        date_order, is_open = find_date_order(batch.frame[f"c{places['at']}"])
        if date_order or not is_open:
            break
    if is_open and not date_order:
        notes.append(_("Dates such as 03/04/2011 were read month first; --date-order day_first changes that."))
    if mark == ",":
        notes.append(_("The comma was read as the decimal mark."))
    return Reading(places, options.currency, options.time_zone, now, date_order, mark), notes
