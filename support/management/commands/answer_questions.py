"""`answer_questions FILE --articles ARTICLES.md`: questions answered from a file; no database is touched."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from customers.ingest.json_lines import read_lines, write_json
from support.answers.answering import answer_question
from support.answers.articles import LONGEST_FILE_BYTES, read_articles
from support.answers.embeddings import find_embedder
from support.answers.ranking import Base

LONGEST_LINE_BYTES = 100_000


class Command(BaseCommand):
    help = (
        "Answer questions from articles. FILE has a JSON object a line: id, lang, question; ARTICLES is Markdown with a"
        " numbered article under each second-level heading. Prints a JSON line for each: id, articles (numbers in order"
        " of fit), answer, refused, unsupported (sentences of the answer that no article carries). A line that cannot be"
        " read gives an object with error."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="JSON lines, UTF-8; - reads standard input")
        parser.add_argument("--articles", type=Path, required=True, help="Markdown, UTF-8")
        parser.add_argument("--words-only", action="store_true", help="without the vectors of an installed model")
        parser.add_argument(
            "--json", action="store_true", help="accepted for likeness: the output is always JSON lines"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        base = Base(_load_articles(options["articles"]), None if options["words_only"] else find_embedder())
        try:
            for number, line in enumerate(read_lines(options["file"], LONGEST_LINE_BYTES), start=1):
                if line.strip():
                    self.stdout.write(write_json(_answer_line(line, number, base)))
        except OSError as error:
            raise CommandError(_cannot_read(options["file"], error)) from error


def _load_articles(path: Path) -> Any:
    try:
        if path.stat().st_size > LONGEST_FILE_BYTES:
            raise ValueError(_("it is longer than %(count)d bytes") % {"count": LONGEST_FILE_BYTES})
        return read_articles(path.read_bytes().decode("utf-8-sig"))
    except OSError as error:
        raise CommandError(_cannot_read(path, error)) from error
    except ValueError as error:
        raise CommandError(_("%(file)s has no articles: %(why)s") % {"file": path, "why": error}) from error


def _cannot_read(path: Path, error: OSError) -> str:
    return _("%(file)s cannot be read: %(why)s") % {"file": path, "why": error.strerror}


def _answer_line(line: bytes, number: int, base: Base) -> dict[str, Any]:
    """What is printed for one line; whatever is wrong with it becomes an error, never a traceback."""
    if len(line) > LONGEST_LINE_BYTES:
        return {
            "id": None,
            "line": number,
            "error": _("the line is longer than %(count)d bytes") % {"count": LONGEST_LINE_BYTES},
        }
    try:
        entry = json.loads(line.decode("utf-8-sig"))
    except UnicodeDecodeError:
        return {"id": None, "line": number, "error": _("the line is not UTF-8")}
    except (ValueError, RecursionError) as error:
        return {"id": None, "line": number, "error": _("the line is not JSON: %(why)s") % {"why": error}}
    if not isinstance(entry, dict) or not isinstance(entry.get("question"), str):
        entry_id = entry.get("id") if isinstance(entry, dict) else None
        return {"id": entry_id, "line": number, "error": _("%(name)s is missing or not a text") % {"name": "question"}}
    answered = answer_question(entry["question"], base)
    return {
        "id": entry.get("id"),
        "articles": [int(key) if key.isdecimal() else key for key in answered.articles],
        "answer": answered.answer,
        "refused": bool(answered.refused),
        "unsupported": answered.unsupported,
        "reason": answered.refused,
        "sentences": [
            {"text": one.text, "article": _number(one.source.article) if one.source else None}
            for one in answered.sentences
        ],
    }


def _number(key: str) -> int | str:
    return int(key) if key.isdecimal() else key
