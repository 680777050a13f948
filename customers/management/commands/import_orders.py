"""`manage import_orders FILE --columns ...`: orders of a CSV or Parquet file into the database."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.translation import gettext as _
from kombu.exceptions import OperationalError

from customers.ingest.cleaning import REASONS
from customers.ingest.column_guess import guess_columns
from customers.ingest.files import import_orders_file
from customers.ingest.import_report import ImportReport
from customers.ingest.progress import RunIsTaken, RunWasStopped
from customers.ingest.reading import open_table
from customers.ingest.schema import (
    ENCODINGS,
    FIELDS,
    KINDS,
    ORDERS,
    FileProblem,
    ImportOptions,
    list_columns,
    parse_columns,
    required_of,
)
from customers.tasks import train_and_score


class Command(BaseCommand):
    help = (
        "Imports the orders of a CSV or Parquet file: one line per article of an order. Any column but customer, at,"
        " and a price or an amount may be missing. Lines that cannot be imported are left out and listed with their"
        " reason. Running it again changes nothing."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--kind", default=ORDERS, choices=KINDS, help="what its lines are")
        parser.add_argument(
            "--columns",
            default="",
            help=f"field=COLUMN, separated by commas; fields of orders: {', '.join(FIELDS)}; guessed if left out",
        )
        parser.add_argument(
            "--currency", default=settings.SHOP_CURRENCY, help="ISO code, for files without a currency column"
        )
        parser.add_argument(
            "--timezone", default=settings.SHOP_TIME_ZONE, help="where times without a zone were written down"
        )
        parser.add_argument("--source", default="shop", help="name of the shop or system the ids belong to")
        parser.add_argument("--encoding", default="", choices=["", *ENCODINGS], help="found out if left out")
        parser.add_argument("--date-order", default="", choices=["", "day_first", "month_first"])
        parser.add_argument(
            "--test-contacts",
            action="store_true",
            help="give customers an address under .test and a consent marked as a test",
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["file"]
        try:
            report = import_orders_file(path, self._read_options(path, options), now=timezone.now())
        except FileNotFoundError as error:
            raise CommandError(_("There is no file %(path)s.") % {"path": path}) from error
        except OSError as error:
            raise CommandError(
                _("The file %(path)s cannot be read: %(reason)s.") % {"path": path, "reason": error.strerror or error}
            ) from error
        except FileProblem as error:
            raise CommandError(str(error)) from error
        except RunWasStopped as error:
            raise CommandError(
                _("Somebody cancelled this import. What was written stays; the same command goes on from there.")
            ) from error
        except RunIsTaken as error:
            raise CommandError(_("The same file is being imported by another process right now.")) from error
        self.stdout.write(json.dumps(report.to_json(), ensure_ascii=False) if options["json"] else _describe(report))
        if report.created or report.updated or report.lines_removed:
            self._have_it_learned()

    def _have_it_learned(self) -> None:
        """Ask the workers to train and score, as after an import by a page; without a broker the day's own scoring does."""
        try:
            train_and_score.delay()
        except OperationalError:
            self.stderr.write(_("The workers could not be told of it: customers are scored anew with the next day."))

    def _read_options(self, path: Path, options: dict[str, Any]) -> ImportOptions:
        encoding = options["encoding"]
        columns = (
            parse_columns(options["columns"]) if options["columns"] else self._guess(path, encoding, options["kind"])
        )
        return ImportOptions(
            columns=columns,
            currency=options["currency"].strip().upper(),
            time_zone=options["timezone"].strip(),
            source=options["source"],
            test_contacts=options["test_contacts"],
            encoding=encoding,
            date_order=options["date_order"],
            kind=options["kind"],
        )

    def _guess(self, path: Path, encoding: str, kind: str) -> dict[str, str]:
        header = open_table(path, encoding=encoding).header
        columns = guess_columns(header, kind)
        has_value = kind != ORDERS or bool({"price", "amount"} & set(columns))
        if not set(required_of(kind)) <= set(columns) or not has_value:
            raise FileProblem(
                _("Say with --columns which column is which. The file has: %(present)s.")
                % {"present": list_columns(header)}
            )
        self.stderr.write(_("Columns: %(columns)s") % {"columns": ",".join(f"{k}={v}" for k, v in columns.items())})
        return columns


def _describe(report: ImportReport) -> str:
    rows = [
        (_("lines read"), report.lines_read),
        (_("orders in them"), report.orders),
        (_("customers in them"), report.customers),
        (_("lines created"), report.created),
        (_("lines updated"), report.updated),
        (_("lines unchanged"), report.unchanged),
        (_("lines left out"), sum(report.left_out.values())),
    ]
    text = [f"{title:<20}{count:>10,}" for title, count in rows]
    text += [f"  {count:>10,}  {REASONS[reason]}" for reason, count in report.left_out.items()]
    if report.lines_removed:
        text.append(
            _("%(count)d lines that these orders no longer have were removed.") % {"count": report.lines_removed}
        )
    text += report.notes
    text.append(_("What was left out stands line by line under Imports, run %(run)d.") % {"run": report.run_id})
    return "\n".join(text)
