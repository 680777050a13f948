"""The domain doctor's findings in sentences for staff: what is wrong, and what it does to the shop's mail."""

from __future__ import annotations

from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

UNANSWERED: Final = gettext_lazy("DNS gave no answer in time. Try again; if it stays so, look at your name servers.")
#: What was found, in a sentence, by kind and code; "" is that all is well.
SENTENCES: Final[dict[tuple[str, str], Promise]] = {
    ("alignment", ""): gettext_lazy(
        "Mail passes DMARC twice over, by SPF and by DKIM, in the name of the domain that readers see."
    ),
    ("alignment", "spf_only"): gettext_lazy(
        "Mail passes DMARC by SPF alone, which breaks when somebody forwards it. Add DKIM in the name of this domain."
    ),
    ("alignment", "dkim_only"): gettext_lazy(
        "Mail passes DMARC by DKIM alone. Publish SPF as well: large providers ask for both."
    ),
    ("alignment", "no_policy"): gettext_lazy(
        "There is no valid DMARC record, so nothing can be aligned with it. Large providers refuse bulk mail "
        "without one."
    ),
    ("alignment", "other_domain"): gettext_lazy(
        "The key is that of %(signed_by)s, which does not speak for the domain that readers see, and SPF "
        "cannot be used."
    ),
    ("alignment", "nothing_aligned"): gettext_lazy("Neither SPF nor DKIM can be used, so every message fails DMARC."),
    ("alignment", "unanswered"): UNANSWERED,
    ("dmarc", ""): gettext_lazy("Mail that fails is held back, and you get reports of it."),
    ("dmarc", "missing"): gettext_lazy(
        "There is no DMARC record: anybody may write in your name, and large providers refuse bulk mail."
    ),
    ("dmarc", "two_records"): gettext_lazy("There are two DMARC records; then neither counts. Delete one."),
    ("dmarc", "syntax"): gettext_lazy(
        "The record has no valid policy (p=none, quarantine or reject), so it does not count."
    ),
    ("dmarc", "policy_none"): gettext_lazy(
        "p=none only watches: forged mail in your name is delivered. Once the reports show that your own mail"
        " passes, hold it back."
    ),
    ("dmarc", "no_reports"): gettext_lazy(
        "Nobody gets the reports (rua), so you would not notice when your own mail fails."
    ),
    ("dmarc", "unanswered"): UNANSWERED,
    ("spf", ""): gettext_lazy("The record says who may send; it takes %(lookups)s of %(most)s lookups."),
    ("spf", "missing"): gettext_lazy("There is no SPF record: receivers cannot tell who may send for this domain."),
    ("spf", "two_records"): gettext_lazy("There are two SPF records; then neither counts. Put them together into one."),
    ("spf", "too_many_lookups"): gettext_lazy(
        "The record takes %(lookups)s lookups or more, and receivers stop at %(most)s and call it broken. "
        "Take out what you no longer use."
    ),
    ("spf", "syntax"): gettext_lazy("The record cannot be read at “%(at)s”."),
    ("spf", "include_broken"): gettext_lazy(
        "The record includes %(at)s, which has no single SPF record; then all of it is broken."
    ),
    ("spf", "everybody"): gettext_lazy("+all lets the whole world send in your name. End it with -all."),
    ("spf", "open_end"): gettext_lazy("The record does not say what to do with all other senders. End it with -all."),
    ("spf", "uses_ptr"): gettext_lazy(
        "The record uses ptr, which is slow and which some receivers ignore. Name the servers instead."
    ),
    ("spf", "server_not_named"): gettext_lazy(
        "The mail server in EMAIL_URL is not among the servers named. It may hand mail on by others; ask its "
        "operator what to include."
    ),
    ("spf", "unanswered"): UNANSWERED,
    ("dkim", ""): gettext_lazy("The key is published and long enough."),
    ("dkim", "no_selector"): gettext_lazy(
        "Set DKIM_SELECTOR to the name that your mail server signs with; without it the key cannot be found."
    ),
    ("dkim", "missing"): gettext_lazy("There is no key at this name, so no signature can be verified."),
    ("dkim", "two_records"): gettext_lazy(
        "There are two keys at this name; which one a receiver takes is chance. Delete one."
    ),
    ("dkim", "revoked"): gettext_lazy("The key is empty, which means that it was revoked."),
    ("dkim", "syntax"): gettext_lazy(
        "The record cannot be read as a key. Often a part of it was lost when it was pasted."
    ),
    ("dkim", "short"): gettext_lazy("The key is shorter than 1024 bits; receivers ignore it."),
    ("dkim", "weak"): gettext_lazy("The key has 1024 bits. Change to 2048."),
    ("dkim", "testing"): gettext_lazy("The record says that you are only testing (t=y). Take that out."),
    ("dkim", "unanswered"): UNANSWERED,
    ("mx", ""): gettext_lazy("Answers and bounces reach you."),
    ("mx", "missing"): gettext_lazy(
        "No server takes mail for this domain: answers and bounces are lost, and some receivers refuse such senders."
    ),
    ("mx", "null"): gettext_lazy(
        "The domain says that it takes no mail at all; many receivers then take none from it."
    ),
    ("mx", "unanswered"): UNANSWERED,
    ("one_click", ""): gettext_lazy("Every mail carries the one-click headers (RFC 8058), and their address is https."),
    ("one_click", "no_header"): gettext_lazy("The one-click headers are missing. Tell who runs Rekindle."),
    ("one_click", "not_https"): gettext_lazy(
        "SITE_URL is not https, so mailbox providers do not call the one-click address."
    ),
    ("reverse", ""): gettext_lazy("The mail server's addresses have names that lead back to them."),
    ("reverse", "no_name"): gettext_lazy(
        "An address of the mail server has no name that leads back to it. Its operator can set that."
    ),
    ("reverse", "no_server"): gettext_lazy("There is no mail server outside to look up."),
    ("reverse", "unanswered"): UNANSWERED,
}
