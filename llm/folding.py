"""The form in which known values are compared: without case, accents, width, and whatever else writes a name in another way.

No Django here.
"""

import re
import unicodedata
from collections.abc import Mapping

from llm.plain_form import PlainForm, read_plainly

# Letters of other alphabets by the Latin ones that they look like.
_SAME_LOOKS = str.maketrans(
    "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0458\u0455\u0501\u04bb\u043a\u043c\u0442\u0432\u043d\u0261\u0131"
    "\u03b1\u03b2\u03b5\u03b7\u03b9\u03ba\u03bc\u03bd\u03bf\u03c1\u03c4\u03c5\u03c7\u03b6",
    "aeopcyxijsdhkmtbhgiabehikmvoptyxz",
)
# Letters that Unicode does not take apart, by what keyboards without them have.
_UNDIVIDED = {"đ": "d", "ð": "d", "ł": "l", "ø": "o", "ħ": "h", "ŧ": "t", "æ": "ae", "œ": "oe", "þ": "th"}
LOOKALIKES: Mapping[int, int | str] = {**_SAME_LOOKS, **{ord(letter): plain for letter, plain in _UNDIVIDED.items()}}
# How the same letters are written where a keyboard has none of them.
SPELLED_OUT = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "Å": "Aa", "Ø": "Oe"}
)
# Accents that stand after their letter: they go with it.
ACCENTS = re.compile("[\u0300-\u036f\u0591-\u05c7\u064b-\u065f\u1ab0-\u1aff\u20d0-\u20ff]*")


def fold(text: str) -> str:
    """The form in which known values are compared: letters and digits only, without case, accents or width."""
    return "".join(folded for folded, _ in fold_with_positions(read_plainly(text)))


def fold_with_positions(plain: PlainForm) -> list[tuple[str, int]]:
    """Each character of the folded form with the place of the plain text that it comes from."""
    folded = []
    for position, character in enumerate(plain.text):
        if character.isascii():
            if character.isalnum():
                folded.append((character.lower(), position))
            continue
        for part in unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", character).casefold()):
            if part.isalnum():
                folded += [(letter, position) for letter in part.translate(LOOKALIKES)]
    return folded
