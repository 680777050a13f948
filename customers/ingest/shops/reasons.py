"""Why a webhook was refused, left alone or could not be applied: codes in the rows, sentences for people."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from customers.models import ShopDelivery

REASONS: Final = {
    "no_secret": gettext_lazy("No secret was given for this shop, so nothing can be proven."),
    "lost_keys": gettext_lazy("The keys of this shop cannot be opened with this SECRET_KEY. Give them again."),
    "not_signed": gettext_lazy("It bears no signature."),
    "bad_signature": gettext_lazy(
        "The signature does not fit: it was forged or altered, or the shop signs with another secret than the one given here."
    ),
    "no_time": gettext_lazy("It does not say when it was sent."),
    "of_the_future": gettext_lazy("Its time lies in the future."),
    "too_old": gettext_lazy("It is older than the shop's last try to deliver. The back-fill fetches what is missing."),
    "replayed": gettext_lazy("A copy of a webhook that came long before."),
    "other_shop": gettext_lazy("It is of another shop than this one."),
    "no_topic": gettext_lazy("It does not say what it is about."),
    "not_text": gettext_lazy("Its body is no text."),
    "test": gettext_lazy("A test that was sent from the shop's admin."),
    "unused_topic": gettext_lazy("Nothing here uses this topic."),
    "test_order": gettext_lazy("An order of the shop's test mode."),
    "names_nobody": gettext_lazy("The order names nobody: no customer and no address."),
    "not_an_order_yet": gettext_lazy("It is not an order yet: nothing was paid or put aside."),
    "erased": gettext_lazy("The person was erased. What it said is not kept."),
    "merge_not_done": gettext_lazy("The shop did not make one of the two, or not yet."),
    "merged_away": gettext_lazy("The shop made this customer a part of another one before, so nobody is to be erased."),
    "order_never_came": gettext_lazy(
        "The order that it belongs to never came: one that names nobody, or of the test mode."
    ),
    "still_there": gettext_lazy("The shop still has it: nothing was deleted."),
    "stale": gettext_lazy("Older than what is known already."),
}


def explain(row: ShopDelivery) -> str:
    """The reason of a webhook in the reader's language; what the payload lacks is said as it was found."""
    if row.status == ShopDelivery.Status.LATE and row.triggered_at:
        minutes = int((row.received_at - row.triggered_at).total_seconds() // 60)
        return _("It came %(minutes)d minutes late, so it is not believed: what changed is fetched from the shop.") % {
            "minutes": minutes
        }
    code, _mark, detail = row.reason.partition(":")
    if code == "not_written":
        return _("It could not be written (%(kind)s).") % {"kind": detail}
    if code == "unproven":
        return _("The shop was asked whether it is gone, and did not say: %(why)s") % {"why": explain_trouble(detail)}
    return str(REASONS.get(row.reason, row.reason))


#: Why the API of a shop gave nothing, and what to do. %(detail)s is what the shop says of it.
TROUBLES: Final = {
    "unreachable": gettext_lazy("The shop could not be reached, or the connection broke."),
    "timeout": gettext_lazy("The shop did not answer in time."),
    "no_tls": gettext_lazy("The shop's certificate is not valid, so nothing was said to it."),
    "forbidden_peer": gettext_lazy("The address leads into an internal network, so nothing was said to it."),
    "keys_refused": gettext_lazy("The shop refused the keys. Look whether they are complete and still valid."),
    "rights_missing": gettext_lazy("The keys lack a right: %(detail)s"),
    "no_api": gettext_lazy(
        "There is no such API at this address (%(detail)s). Look whether the address is the shop's own."
    ),
    "throttled": gettext_lazy("The shop asks for a pause; it goes on by itself."),
    "server_error": gettext_lazy("The shop answered with a fault of its own (%(detail)s)."),
    "not_understood": gettext_lazy("The shop did not understand the question: %(detail)s"),
    "not_json": gettext_lazy("What the shop answered is not what its documentation says."),
    "too_long": gettext_lazy("The shop's answer is too long."),
    "hook_refused": gettext_lazy("The shop would not make a webhook: %(detail)s"),
    "lost_keys": gettext_lazy("The keys of this shop cannot be opened with this SECRET_KEY. Give them again."),
    "no_keys": gettext_lazy("No keys were given yet."),
}


def explain_trouble(kept: str) -> str:
    """A kept trouble ("code" or "code:detail") in the reader's language."""
    code, _mark, detail = kept.partition(":")
    return str(TROUBLES[code]) % {"detail": detail} if code in TROUBLES else kept
