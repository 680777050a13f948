"""What a paused campaign says of the server that its messages could not be handed to, by channel."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext_noop

from .channels import Cause


@dataclass(frozen=True)
class Words:
    """Sentences with %(error)s, %(n)s and %(answer)s; `reputation` is of e-mail alone in practice, and the same for all."""

    refused: str
    unreachable: str
    took_none: str
    login: str


def words_for(channel: str) -> Words:
    """In English, as they are kept."""
    if channel == "email":
        return _of_mail()
    return _of_webhook() if channel == "webhook" else _of_sms()


def say_cause(cause: Cause, answer: str, channel: str = "email") -> str:
    """The sentence with which one such answer pauses a campaign."""
    if cause is Cause.LOGIN:
        return words_for(channel).login % {"answer": answer}
    sentence = gettext_noop(
        "A mail server refuses us because of our name or a missing proof of it (%(answer)s). Look at SPF, DKIM and"
        " DMARC and at the block lists before you resume."
    )
    return sentence % {"answer": answer}


def _of_mail() -> Words:
    return Words(
        gettext_noop("The mail server refused our log-in (%(error)s). Check EMAIL_URL, then resume."),
        gettext_noop("The mail server could not be reached %(n)s times in a row (%(error)s). Resume when it is back."),
        gettext_noop("The mail server took none of the last %(n)s messages (%(answer)s). Mend the cause, then resume."),
        gettext_noop(
            "The mail server no longer takes our log-in (%(answer)s). Check EMAIL_URL and the account, then resume."
        ),
    )


def _of_sms() -> Words:
    return Words(
        gettext_noop("The provider of text messages refused our log-in (%(error)s). Check SMS_URL, then resume."),
        gettext_noop(
            "The provider of text messages could not be reached %(n)s times in a row (%(error)s). Resume when it is back."
        ),
        gettext_noop(
            "The provider of text messages took none of the last %(n)s (%(answer)s). Mend the cause, then resume."
        ),
        gettext_noop(
            "The provider of text messages no longer takes our log-in (%(answer)s). Check SMS_URL and the account, then"
            " resume."
        ),
    )


def _of_webhook() -> Words:
    return Words(
        gettext_noop("The receiver of the webhook cannot be used (%(error)s). Check WEBHOOK_URL, then resume."),
        gettext_noop(
            "The receiver of the webhook could not be reached %(n)s times in a row (%(error)s). Resume when it is back."
        ),
        gettext_noop(
            "The receiver of the webhook took none of the last %(n)s messages (%(answer)s). Mend the cause, then resume."
        ),
        gettext_noop(
            "The receiver of the webhook refuses us (%(answer)s). Check WEBHOOK_URL and WEBHOOK_SECRET on both sides, then"
            " resume."
        ),
    )
