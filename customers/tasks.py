"""Background work of customers: imports, nightly scores and interests, watching the model, and texts that one reads."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from customers.features.hours import refresh as hours
from customers.features.interests import profiles, texts
from customers.ingest import runs, uploads
from customers.ingest.identity import forget_held_events
from customers.ingest.outside_queue import write_waiting_lines
from customers.ingest.shops.deliveries import forget_deliveries, sweep_deliveries
from customers.ingest.shops.filling import due_fills, run_fill
from customers.insights import audit_witness, overview, report
from customers.insights.risk import AT_RISK
from customers.merging import strays, suggesting
from customers.models import KeptAnswer
from customers.outgoing import fan_out, sending, telling
from customers.privacy.own import run_due_erasures
from customers.privacy.restoring import repeat_lost
from customers.privacy.shops import answer_shop
from customers.scoring import groups, replays, totals, watch
from customers.scoring.refresh import needs_refresh, refresh_scores
from customers.segments import sweep
from llm.drafting_role import acting_as_drafter


@shared_task
def import_sweep() -> None:
    """Start every import that waits or whose worker died, and forget files that nobody goes on with."""
    uploads.forget_files(timezone.now())
    for run_id in runs.waiting_runs():
        import_file.delay(run_id)


@shared_task
def import_file(run_id: int) -> None:
    """Do one import; a second worker with the same run does nothing."""
    if runs.run_import(run_id, now=timezone.now()):
        train_and_score.delay()


@shared_task
def shop_sweep() -> None:
    """Apply webhooks of shops that are kept and could not be applied at once, and start the back-fills that wait."""
    sweep_deliveries(now=timezone.now(), answer=answer_shop)
    for shop_id in due_fills(timezone.now()):
        fill_shop.delay(shop_id)


@shared_task
def fill_shop(shop_id: int) -> None:
    """Go on with the back-fill of one shop; a second worker with the same shop does nothing."""
    if run_fill(shop_id):
        train_and_score.delay()


@shared_task
def sweep_segments() -> None:
    """Once a minute: who came into which segment and who left; a second worker at the same time does nothing."""
    sweep.sweep_segments(timezone.now())


@shared_task
def sweep_totals() -> None:
    """Once a minute: what the scores add up to, where one was written since they were last counted."""
    totals.sweep_totals(timezone.now())


@shared_task
def train_and_score() -> None:
    """Train on what is new and score everybody; on the same data nothing changes."""
    refresh_scores(now=timezone.now())
    refresh_interests.delay()
    watch_model.delay()
    warm_insights.delay()


@shared_task
def score_daily() -> None:
    """Once an hour: make the day's scores where they are not there yet."""
    if needs_refresh(timezone.now()):
        train_and_score.delay()


@shared_task
def watch_model() -> None:
    """Every five minutes and after scoring: the day's drift report and missing fairness reports; a second time nothing."""
    watch.watch_model(timezone.now())
    groups.review_groups(threshold=AT_RISK)


@shared_task
def forget_intake() -> None:
    """Once an hour: answers kept for a day, events of visitors who never became known, old webhooks of shops, and what people
    decided that a backup undid."""
    KeptAnswer.objects.outlived(timezone.now()).delete()
    forget_held_events(timezone.now())
    forget_deliveries(timezone.now())
    repeat_lost(timezone.now())
    fan_out.forget_old_events(timezone.now())


@shared_task
def run_own_erasures() -> None:
    """Erase whom it is time for, of those who confirmed it by their own link; a second worker with the same does nothing."""
    run_due_erasures(timezone.now())


@shared_task
def write_outside() -> None:
    """Once a minute: what people decided and a crash kept from standing outside the database; mostly nothing."""
    write_waiting_lines()


@shared_task
def suggest_merges() -> None:
    """Once an hour: who may be one person, who surely is, and rows that came for a merged one while the merge was made."""
    strays.gather_strays()
    suggesting.find_suggestions()
    suggesting.merge_vouched(now=timezone.now())


@shared_task
def merge_vouched_customers() -> None:
    """Merge whom the shop named as one; a second worker with the same pair does nothing."""
    suggesting.merge_vouched(now=timezone.now())


@shared_task
def witness_audit() -> None:
    """Once an hour: keep the head of the audit log outside the database; where it is kept already nothing."""
    audit_witness.witness_audit(timezone.now())


@shared_task
def warm_insights() -> None:
    """Once an hour and after scoring: the figures of the Retention page and of Home, so that nobody waits."""
    report.warm_insights(timezone.now())
    overview.read_overview(timezone.now())


@shared_task
def replay_sweep() -> None:
    """Start every day that waits to be replayed or whose worker died."""
    for replay_id in replays.waiting_replays(timezone.now()):
        replay_day.delay(replay_id)


@shared_task
def replay_day(replay_id: int) -> None:
    """Replay one day; a second worker with the same row does nothing."""
    replays.run_replay(replay_id, now=timezone.now())


@shared_task
def interests_daily() -> None:
    """Once an hour: make the day's interests where they are not there yet."""
    if profiles.are_old(timezone.now()):
        refresh_interests.delay()


@shared_task
def refresh_interests() -> None:
    """Write everybody's interests as of today, and when they tend to read; a second worker at the same time does nothing."""
    profiles.refresh_for_today(timezone.now())
    hours.refresh_for_today(timezone.now())


@shared_task
def queue_texts() -> None:
    """Once an hour: a row for each text that no model has read yet; reading starts at once where there is one."""
    if texts.queue_texts(timezone.now()):
        read_texts.delay()


@shared_task
def read_texts() -> None:
    """Have some batches of texts read; go on at once while there is more."""
    with acting_as_drafter():
        has_more = texts.read_waiting_texts(timezone.now())
    if has_more:
        read_texts.delay()


@shared_task
def send_outgoing() -> None:
    """Make deliveries of what happened and send those that are due, for some seconds; go on at once while there is more."""
    has_more = fan_out.fan_out(timezone.now()) == fan_out.BATCH
    done = sending.send_due()
    fan_out.forget_told_names()
    telling.tell_of_disabled(timezone.now())
    if has_more or done.taken >= sending.EACH:
        send_outgoing.delay()
