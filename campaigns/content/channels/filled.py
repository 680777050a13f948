"""One copy as it leaves, and how its length is told."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class RenderedMessage:
    """One copy, ready to send. `html` is of e-mails alone; push and webhook have their JSON in `text`."""

    subject: str
    preheader: str
    html: str
    text: str


@dataclass(frozen=True)
class Measure:
    """One length: `value` of `most`, in words for staff (`unit` such as "characters")."""

    label: str
    value: int
    most: int
    unit: str

    @property
    def is_over(self) -> bool:
        return self.value > self.most


def one_line(text: str) -> str:
    """A text without line ends, which no subject and no title may have."""
    return " ".join(text.split())
