"""skeleton"""

from dataclasses import dataclass
from enum import StrEnum


class PersonalKind(StrEnum):
    """What a masked value is; the placeholder says it to the model."""

    NAME = "NAME"
    EMAIL = "EMAIL"
    PHONE = "PHONE"
    CARD = "CARD"
    IBAN = "IBAN"
    ADDRESS = "ADDRESS"
    URL = "URL"
    ID = "ID"


@dataclass(frozen=True)
class PersonalValue:
    """A value of a known person that must not leave the house."""

    value: str
    kind: PersonalKind = PersonalKind.NAME
