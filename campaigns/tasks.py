"""What workers do for campaigns. Each task calls one function; rows with a status are the queue, beat only looks."""

from __future__ import annotations

from celery import shared_task
from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.utils import timezone

from campaigns.approval import catalogue, global_holdout, notices, validity
from campaigns.approval.staging import deciding
from campaigns.audience import lapsing
from campaigns.content import drafting
from campaigns.delivery import control, engagement, progression, reaper, scheduler, sender
from campaigns.delivery.domain import doctor
from campaigns.delivery.entering import sweep
from campaigns.delivery.opt_in import asking, mailing
from campaigns.delivery.own_data import asking as own_asking
from campaigns.delivery.own_data import mailing as own_mailing
from campaigns.delivery.stopping import stop_on_sigterm
from campaigns.outcomes import rollup, text_shares, weekly
from campaigns.outcomes.reports import fairness
from llm.drafting_role import acting_as_drafter
from llm.records import delete_expired_calls

#: Shorter than the ten seconds between two sweeps, and than the patience of whoever stops a worker.
SWEEP_S = 9.0


@shared_task
def start_due_campaigns() -> None:
    """Start campaigns whose hour has come, and sending at once where one did."""
    if scheduler.start_due_campaigns(timezone.now()).started:
        send_sweep.delay()


@shared_task
def let_people_in() -> None:
    """Let people into live campaigns, and start sending at once where somebody came."""
    if sweep.let_people_in(timezone.now()).queued:
        send_sweep.delay()


@shared_task(autoretry_for=(OperationalError, InterfaceError), default_retry_delay=1, max_retries=20)
def send_sweep() -> None:
    """Send what waits for some seconds; go on at once while there is more, and a second later where the database went away."""
    with stop_on_sigterm() as stop:
        run = sender.send_waiting_messages(seconds=SWEEP_S, stop=stop)
    scheduler.finish_campaigns(timezone.now())
    if run.has_more and not stop.is_set():
        send_sweep.delay()


@shared_task
def advance_entries() -> None:
    """Take the people of sequences on to the step that is due, and sending at once where that queued anything."""
    moved = progression.advance_entries(timezone.now())
    if moved.queued:
        send_sweep.delay()
    elif moved.looked_at:
        scheduler.finish_campaigns(timezone.now())


@shared_task
def void_outlived_approvals() -> None:
    """Take back approvals that are too old, or whose people have changed too much, and changes that nobody decided."""
    validity.void_outlived_approvals(timezone.now())
    deciding.reopen_outlived_changes(timezone.now())
    control.pause_outlived(timezone.now())


@shared_task
def watch_catalogue() -> None:
    """Say at each text what the catalogue says otherwise now, and take back what would be sent with an untrue price."""
    catalogue.watch_catalogue(timezone.now())


@shared_task
def mail_notifications() -> None:
    """Mail what colleagues are to be told."""
    notices.mail_notifications(timezone.now())


@shared_task(autoretry_for=(OperationalError, InterfaceError), default_retry_delay=1, max_retries=20)
def mail_opt_ins() -> None:
    """Ask by mail those who want to be written to, and close the wishes that nobody confirmed."""
    asking.close_outlived(timezone.now())
    mailing.mail_waiting_requests(seconds=SWEEP_S)


@shared_task(autoretry_for=(OperationalError, InterfaceError), default_retry_delay=1, max_retries=20)
def mail_own_links() -> None:
    """Mail their link to those who asked for their data or to be erased, and close what nobody confirmed."""
    own_asking.close_outlived(timezone.now())
    own_mailing.mail_own_links(seconds=SWEEP_S)


@shared_task
def lapse_consents() -> None:
    """Write down which consents the rule of their country has let lapse."""
    lapsing.lapse_consents(timezone.now())


@shared_task
def reap_stuck_messages() -> None:
    """Take back what dead workers held, and finish campaigns that this completes."""
    reaper.reap_stuck_messages()
    scheduler.finish_campaigns(timezone.now())


@shared_task
def judge_visits() -> None:
    """Believe the clicks and opens that were not a machine's."""
    engagement.judge_visits(timezone.now())


@shared_task
def check_domain() -> None:
    """Some times a day: what DNS says of the sending domain. Not while mail is only caught: then nothing is asked of anybody."""
    if not settings.USES_MAIL_CATCHER:
        doctor.check_domain(timezone.now())


@shared_task
def measure_results() -> None:
    """Write today's figures of every campaign that was sent, and of the global hold-out, whose people are drawn anew when due."""
    rollup.store_all_results(now=timezone.now())
    rollup.store_holdout_results(now=timezone.now())
    global_holdout.renew_global_holdout(now=timezone.now())
    text_shares.shift_all_shares(now=timezone.now())


@shared_task
def count_groups() -> None:
    """Once a day: who got offers and how much, by group."""
    fairness.count_missing_groups(timezone.now())


@shared_task
def mail_weekly() -> None:
    """On Monday morning: the week's figures to those who want them."""
    weekly.mail_weekly(timezone.now())


@shared_task
def learn_whom() -> None:
    """Once an hour: learn from campaigns that have ended since whom a message moves, and place today's customers by it."""
    from campaigns.outcomes.whom import placing, study

    study.study_all(now=timezone.now())
    placing.place_all(now=timezone.now())


@shared_task
def draft_sweep() -> None:
    """Have every archetype drafted that waits for it, or whose worker died."""
    for archetype_id in drafting.archetypes_waiting(timezone.now()):
        draft_archetype.delay(archetype_id)


@shared_task
def draft_archetype(archetype_id: int) -> None:
    """Draft one archetype; a second worker with the same one does nothing."""
    with acting_as_drafter():
        drafting.draft_archetype(archetype_id, now=timezone.now())


@shared_task
def delete_expired_model_calls() -> None:
    """Delete what the ledger no longer has to keep."""
    delete_expired_calls(timezone.now())
