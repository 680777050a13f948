"""What was found in a text, in the language of whoever looks at it.

Findings are kept in English, which is what the catalogue is looked up by: a worker that drafts, and a colleague who saves,
have other languages than the person who reads.
"""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext_noop

from customers.told import tell

#: Findings with something put into them. A test holds them against those that the checks can say.
WITH_VALUES: Final = (
    gettext_noop("The subject has %(signs)d characters; mail programs show about %(limit)d."),
    gettext_noop("There is an invisible or broken character (%(code)s). Delete it."),
    gettext_noop("This is not written in the customer's language (%(language)s)."),
    gettext_noop("The text cannot be rendered: %(why)s"),
    gettext_noop(
        "This is sent, and billed, as %(parts)d text messages (%(units)d characters in %(alphabet)s). Cut it."
    ),
    gettext_noop(
        "%(name)s costs %(now)s now (version %(new)s of the catalogue). It cost %(was)s when this was written (version %(old)s)."
    ),
    gettext_noop("%(name)s is not in the catalogue any more (it was, in version %(old)s). Take it out."),
    gettext_noop("%(name)s is sold out. As long as it is, nobody gets this text."),
    gettext_noop(
        "What this says of the stock of %(name)s is not so now (%(now)s). As long as it is not, nobody gets this text."
    ),
    gettext_noop("%(name)s has another address in the catalogue now (version %(new)s); this links to the old one."),
    gettext_noop("Exclamation marks: %(n)d. The brand voice allows %(most)d."),
    gettext_noop("Emoji: %(n)d. The brand voice allows %(most)d."),
    gettext_noop("A sentence of %(n)d characters. The brand voice allows %(most)d."),
    gettext_noop("A sentence of %(n)d words. The brand voice allows %(most)d."),
    gettext_noop("The brand voice says %(address)s to customers."),
    gettext_noop("This is hard to read: %(count)d characters in a clause. Cut the sentences."),
    gettext_noop("This is hard to read: school grade %(grade)d. Use shorter sentences and plainer words."),
)


def tell_finding(kept: str) -> str:
    """The sentence of a finding in the active language; as it was kept where the catalogue does not know it."""
    return tell(kept, WITH_VALUES)
