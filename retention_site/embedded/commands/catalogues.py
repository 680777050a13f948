"""Whether every message catalogue is translated in full and compiled as it stands. Needs no gettext programs."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from gettext import GNUTranslations
from pathlib import Path

from babel.messages.catalog import Message
from babel.messages.pofile import read_po

from retention_site.embedded.state import ROOT


def main() -> int:
    """Prints a line for each fault; returns 1 when there is one."""
    catalogues = sorted(ROOT.glob("*/locale/*/LC_MESSAGES/*.po"))
    faults = [fault for path in catalogues for fault in find_faults(path)]
    for fault in faults:
        print(fault)
    print(f"{len(catalogues)} catalogues, {len(faults)} faults")
    return 1 if faults else 0


def find_faults(path: Path) -> Iterator[str]:
    """Entries that are empty, marked fuzzy, or not in the compiled file as they stand in this one."""
    name = path.relative_to(ROOT)
    with path.open("rb") as file:
        written = read_po(file)
    compiled = _read_compiled(path.with_suffix(".mo"))
    if compiled is None:
        yield f"{name}: not compiled; run ./rekindle manage compilemessages"
        return
    is_english = path.parts[-3].startswith("en")
    for message in written:
        if not message.id:
            continue
        if message.fuzzy or not (_is_translated(message.string) or is_english):
            yield f"{name}:{message.lineno}: not translated: {message.id!r}"
        elif _is_translated(message.string) and not _is_compiled(message, compiled):
            yield f"{name}:{message.lineno}: not compiled as it stands; run ./rekindle manage compilemessages"


def _read_compiled(path: Path) -> GNUTranslations | None:
    try:
        with path.open("rb") as file:
            return GNUTranslations(file)
    except OSError:
        return None


def _is_compiled(message: Message, compiled: GNUTranslations) -> bool:
    """Whether the compiled catalogue gives the same words; of plural forms the first two are compared."""
    written = {message.string} if isinstance(message.string, str) else set(message.string or ())
    return _look_up(message, compiled) == written


def _look_up(message: Message, compiled: GNUTranslations) -> set[str]:
    context, words = message.context, message.id
    if isinstance(words, str):
        return {compiled.pgettext(context, words) if context else compiled.gettext(words)}
    one, many = words[0], words[1]
    return {compiled.npgettext(context, one, many, n) if context else compiled.ngettext(one, many, n) for n in (1, 2)}


def _is_translated(string: str | tuple[str, ...] | list[str] | None) -> bool:
    return bool(string) if string is None or isinstance(string, str) else all(string)


if __name__ == "__main__":
    sys.exit(main())
