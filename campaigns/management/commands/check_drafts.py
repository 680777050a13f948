"""`check_drafts FILE`: the guard-rails on any file of drafts, one JSON object a line; no database is touched."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from campaigns.content.findings import worst_verdict
from campaigns.content.guardrails import check_draft
from customers.ingest.json_lines import read_lines, write_json

LONGEST_LINE_BYTES = 1_000_000


class Command(BaseCommand):
    help = (
        "Check drafts against their facts. FILE has a JSON object a line: id, facts, draft {subject, preheader, body}."
        " Prints a JSON line for each: id, verdict (pass, warn, block), findings. A line that cannot be read gives an"
        " object with error."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="JSON lines, UTF-8; - reads standard input")
        parser.add_argument(
            "--json", action="store_true", help="accepted for likeness: the output is always JSON lines"
        )

        parser.add_argument(
            "--figures",
            action="store_true",
            help="print no lines but how many of the drafts got what their key expect (block, warn, pass) says",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            lines = (
                (line, _check_line(line, number))
                for number, line in enumerate(read_lines(options["file"], LONGEST_LINE_BYTES), start=1)
                if line.strip()
            )
            if options["figures"]:
                self.stdout.write("\n".join(_count_verdicts(lines)))
                return
            for _line, answer in lines:
                self.stdout.write(write_json(answer))
        except OSError as error:
            raise CommandError(
                _("%(file)s cannot be read: %(why)s") % {"file": options["file"], "why": error.strerror}
            ) from error


def _count_verdicts(lines: Iterator[tuple[bytes, dict[str, Any]]]) -> Iterator[str]:
    """How many false drafts were blocked and how many true ones; then, by the finding that a draft was written for
    (`code`, or `quiet` where it must not come), how many have it."""
    verdicts: Counter[tuple[str, str]] = Counter()
    told: Counter[tuple[str, str]] = Counter()
    of: Counter[tuple[str, str]] = Counter()
    for line, answer in lines:
        entry = json.loads(line.decode("utf-8-sig")) if "error" not in answer else {}
        verdicts[str(entry.get("expect")), answer["verdict"]] += 1
        for key in ("code", "quiet"):
            if code := entry.get(key):
                of[str(code), key] += 1
                told[str(code), key] += any(finding["code"] == code for finding in answer["findings"])
    for expect, name in (("block", _("false drafts")), ("pass", _("true drafts")), ("warn", _("doubtful drafts"))):
        total = sum(count for (wanted, _verdict), count in verdicts.items() if wanted == expect)
        figures: dict[str, Any] = {
            "name": name,
            "total": total,
            "blocked": verdicts[expect, "block"],
            "warned": verdicts[expect, "warn"],
        }
        yield _("%(name)s: %(total)d, of which blocked %(blocked)d, warned %(warned)d") % figures
    for code in sorted({code for code, _key in of}):
        figures = {"code": code, "found": told[code, "code"], "total": of[code, "code"]}
        figures |= {"alarms": told[code, "quiet"], "alike": of[code, "quiet"]}
        yield (
            _("%(code)s: found in %(found)d of %(total)d, false alarms in %(alarms)d of %(alike)d that look alike")
            % figures
        )


def _check_line(line: bytes, number: int) -> dict[str, Any]:
    """What is printed for one line; whatever is wrong with it becomes an error, never a traceback."""
    if len(line) > LONGEST_LINE_BYTES:
        return _refuse(None, number, _("the line is longer than %(count)d bytes") % {"count": LONGEST_LINE_BYTES})
    try:
        entry = json.loads(line.decode("utf-8-sig"), parse_constant=_refuse_constant)
    except UnicodeDecodeError:
        return _refuse(None, number, _("the line is not UTF-8"))
    except (ValueError, RecursionError) as error:
        return _refuse(None, number, _("the line is not JSON: %(why)s") % {"why": error})
    if not isinstance(entry, dict):
        return _refuse(None, number, _("the line is not a JSON object"))
    for name in ("facts", "draft"):
        if not isinstance(entry.get(name), dict):
            return _refuse(entry.get("id"), number, _("%(name)s is missing or not an object") % {"name": name})
    findings = check_draft(entry["facts"], entry["draft"])
    return {
        "id": entry.get("id"),
        "verdict": worst_verdict(findings),
        "findings": [finding.as_json() for finding in findings],
    }


def _refuse(entry_id: Any, number: int, why: str) -> dict[str, Any]:
    """An unreadable draft is not one that may be sent, hence `block`."""
    return {"id": entry_id, "verdict": "block", "findings": [], "line": number, "error": why}


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON number")
