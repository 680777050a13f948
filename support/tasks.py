"""What workers do for support. Rows are the queue: tickets that are not sorted, messages without a suggestion."""

from __future__ import annotations

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from support.answers import by_itself, pending
from support.inbox.late import link_late_customers
from support.mail.imap.polling import poll_mailbox
from support.mail.retention import forget_old
from support.triage.deciding import complete_triage
from support.triage.reading import read_pending
from support.triage.training import retrain_due


@shared_task
def sort_tickets() -> None:
    """Tie conversations to customers who have come since, and sort what was not sorted."""
    link_late_customers()
    complete_triage(now=timezone.now())


@shared_task
def suggest_answers() -> None:
    """Suggest answers for what waits, and look up again what articles may answer that were written since."""
    now = timezone.now()
    pending.suggest_pending(now=now)
    pending.look_again(now=now)


@shared_task
def read_tickets() -> None:
    """Ask the language model for a second opinion about what waits."""
    read_pending(now=timezone.now())


@shared_task
def retrain_triage() -> None:
    """Train classifiers anew where people have corrected enough; one that is no better is kept and not used."""
    retrain_due(now=timezone.now())


@shared_task
def answer_tickets() -> None:
    """Send what may be sent without a person, and settle what a worker left behind."""
    now = timezone.now()
    by_itself.settle_stranded(now=now)
    by_itself.answer_pending(now=now)


@shared_task
def poll_support_mailbox() -> None:
    """Take in what is new in the mailbox, where one is named."""
    if settings.SUPPORT_IMAP_TARGET is not None:
        poll_mailbox(
            settings.SUPPORT_IMAP_TARGET, now=timezone.now(), most_bytes=settings.SUPPORT_MAIL_MB * 1024 * 1024
        )


@shared_task
def forget_old_files() -> None:
    """Delete files and full texts of mail whose time is over, and files that no row names."""
    forget_old(now=timezone.now())
