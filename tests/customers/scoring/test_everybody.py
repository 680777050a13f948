"""A shop too large for one part: read once, scored part by part while others are written, shared among workers."""

from __future__ import annotations

import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from io import StringIO
from typing import Any
from urllib.parse import quote

import polars as pl
import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.db.models import Count
from pytest_django import Settings

from customers.features.builder import ShopData
from customers.features.reader import Partition, read_customer_ids
from customers.models import Customer, ModelVersion, Score, ScoreHistory, ScoreStatus
from customers.scoring import runner
from customers.scoring.score_rows import write_scores
from customers.scoring.sharing import SharesFailed, score_shop
from customers.scoring.steps import STEPS, Steps
from customers.scoring.training import TrainingResult

from .simulated_shop import LAST_AT, store_model, store_shop, take_customers


@pytest.fixture
def model(
    transactional_db: None, shop: ShopData, trained: TrainingResult, monkeypatch: pytest.MonkeyPatch
) -> ModelVersion:
    """A shop of 121 customers, one of them without an order, and a model; 40 customers fit into memory."""
    monkeypatch.setattr(runner, "MOST_CUSTOMERS_IN_MEMORY", 40)
    store_shop(take_customers(shop, 120))
    Customer.objects.create(external_id="nobody")
    return store_model(trained, trained_at=LAST_AT)


def scored_rows() -> list[tuple[object, ...]]:
    return list(Score.objects.order_by("customer_id").values_list())


def test_parts_write_what_one_run_writes_and_a_second_time_nothing(model: ModelVersion) -> None:
    runner.score_customers(model, as_of=LAST_AT)
    whole, past = scored_rows(), ScoreHistory.objects.count()
    Score.objects.all().delete()
    ScoreHistory.objects.all().delete()
    steps = Steps()

    changed = runner.score_everybody(model, as_of=LAST_AT, steps=steps)

    assert scored_rows() == whole
    assert changed == len(whole) + past
    assert set(steps.seconds) == set(STEPS)
    assert runner.score_everybody(model, as_of=LAST_AT) == 0
    assert scored_rows() == whole


def test_workers_score_everybody_once(model: ModelVersion) -> None:
    runner.score_customers(model, as_of=LAST_AT)
    whole = scored_rows()
    Score.objects.all().delete()

    shares = [runner.score_everybody(model, as_of=LAST_AT, partition=Partition(i, 2)) for i in range(2)]

    assert min(shares) > 0
    assert scored_rows() == whole
    twice = ScoreHistory.objects.values("customer", "model", "as_of").annotate(n=Count("pk")).filter(n__gt=1)
    assert not twice.exists()
    assert Score.objects.filter(status=ScoreStatus.NO_HISTORY).count() == 1
    assert [runner.score_everybody(model, as_of=LAST_AT, partition=Partition(i, 2)) for i in range(2)] == [0, 0]


def test_a_run_that_broke_off_is_made_good_by_the_next(model: ModelVersion, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each part is a transaction of its own: what was written stays, and nothing is written twice."""
    write, written = runner.write_scores, []

    def break_off(frame: object) -> int:
        if written:
            raise ConnectionError("the database went away")
        written.append(frame)
        return write(frame)  # type: ignore[arg-type]

    monkeypatch.setattr(runner, "write_scores", break_off)
    with pytest.raises(ConnectionError):
        runner.score_everybody(model, as_of=LAST_AT)
    kept = Score.objects.count()
    monkeypatch.setattr(runner, "write_scores", write)
    runner.score_everybody(model, as_of=LAST_AT)

    assert 0 < kept < Score.objects.count() == 121
    assert ScoreHistory.objects.count() == Score.objects.exclude(status=ScoreStatus.NO_HISTORY).count()


def test_who_writes_the_same_scores_at_the_same_moment_changes_nothing(model: ModelVersion) -> None:
    """Neither sees a row when it looks; the second waits for the first, and compares what it would have copied."""
    frame = runner.predict_scores(model, as_of=LAST_AT)
    with ThreadPoolExecutor(1) as beside:
        with transaction.atomic():
            first = write_scores(frame)
            second = beside.submit(write_alone, frame)
            wait_for_somebody_waiting()
        assert (first > 121, second.result()) == (True, 0)
    assert Score.objects.count() == 121


def test_newcomers_are_added_to_those_already_scored(model: ModelVersion) -> None:
    frame = runner.predict_scores(model, as_of=LAST_AT)
    write_scores(frame.head(50))

    assert write_scores(frame.slice(50)) > 0
    assert write_scores(frame) == 0
    Score.objects.filter(customer_id__in=frame["customer_id"].tail(3).to_list()).delete()
    assert write_scores(frame) == 3


def write_alone(frame: pl.DataFrame) -> int:
    try:
        return write_scores(frame)
    finally:
        connection.close()


def wait_for_somebody_waiting() -> None:
    with connection.cursor() as cursor:
        for _try in range(6_000):
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
            if cursor.fetchone()[0]:
                return
            time.sleep(0.01)
    raise AssertionError("nobody waits for a row of ours")


@pytest.fixture
def for_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes of ours find the database of this test."""
    database = connection.settings_dict
    host = quote(str(database["HOST"]), safe="")
    monkeypatch.setenv("DATABASE_URL", f"postgresql://{database['USER']}@/{database['NAME']}?host={host}")


class KilledAtOnce(subprocess.Popen[str]):
    """The process of the first partition is killed before it has written anything."""

    def __init__(self, command: list[str], **options: Any) -> None:
        super().__init__(command, **options)
        if command[-1].startswith("0/"):
            self.kill()


def test_the_command_shares_the_work_among_processes(model: ModelVersion, for_processes: None) -> None:
    told = StringIO()

    call_command("score_customers", "--as-of", f"{LAST_AT:%Y-%m-%d}", "--processes", "2", stdout=told)

    assert "rows changed" in told.getvalue()
    assert Score.objects.count() == 121
    assert runner.score_everybody(model, as_of=LAST_AT) == 0


def test_a_killed_process_costs_its_own_partition_alone(
    model: ModelVersion, for_processes: None, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The night of a large shop is shared; what one process did not do, the next run does, to the last digit."""
    settings.SCORING_PROCESSES = 2
    runner.score_customers(model, as_of=LAST_AT)
    whole = scored_rows()
    Score.objects.all().delete()
    with monkeypatch.context() as killing:
        killing.setattr(subprocess, "Popen", KilledAtOnce)
        with pytest.raises(SharesFailed, match="1 of 2"):
            score_shop(model, as_of=LAST_AT)
    kept = scored_rows()
    second = read_customer_ids(Partition(1, 2)).height

    assert score_shop(model, as_of=LAST_AT) > 0

    assert 0 < len(kept) == second < len(whole)
    assert all(row in whole for row in kept)
    assert scored_rows() == whole
    assert runner.score_everybody(model, as_of=LAST_AT) == 0
