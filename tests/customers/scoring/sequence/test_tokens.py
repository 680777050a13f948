from __future__ import annotations

import datetime as dt
import math

import numpy as np
import polars as pl
from hypothesis import given, settings
from polars.testing import assert_frame_equal

from customers.features import builder
from customers.features.reader import events_needed_since
from customers.models import EventKind
from customers.scoring.sequence import MOST_TOKENS, build_tokens, tokens
from customers.scoring.sequence.batches import Scale, draw_batches, read_sequences
from tests.customers.features.shop_histories import (
    AS_OF,
    EVENT_SCHEMA,
    ORDER_SCHEMA,
    UTC,
    frame,
    histories,
    moments,
)

from .plain_tokens import plain_tokens

History = tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]
DAY = dt.timedelta(days=1)


def order(days_ago: float, *, customer: int = 1, total: float = 20.0, is_return: bool = False) -> dict[str, object]:
    at = AS_OF - days_ago * DAY
    return {"customer_id": customer, "order_id": 1, "ordered_at": at, "total": total, "discount": 0.0,
            "is_return": is_return}  # fmt: skip


def view(days_ago: float, *, kind: str = "product_viewed") -> dict[str, object]:
    return {"customer_id": 1, "kind": kind, "occurred_at": AS_OF - days_ago * DAY}


@given(histories(), histories(moments(first=AS_OF)))
@settings(max_examples=30, deadline=None)
def test_changing_the_future_changes_no_token(history: History, future: History) -> None:
    orders, _, events = history
    later_orders, _, later_events = future

    changed = build_tokens(pl.concat([orders, later_orders]), pl.concat([events, later_events]), as_of=AS_OF)

    assert_frame_equal(changed, build_tokens(orders, events, as_of=AS_OF))


@given(histories())
@settings(max_examples=40, deadline=None)
def test_plain_python_customer_by_customer_sees_the_same_tokens(history: History) -> None:
    orders, _, events = history
    built = dict(build_tokens(orders, events, as_of=AS_OF).iter_rows())
    plain = plain_tokens(orders, events, AS_OF)

    assert built.keys() == plain.keys()
    for customer, sequence in plain.items():
        assert len(built[customer]) == len(sequence)
        for token, meant in zip(built[customer], sequence, strict=True):
            assert token.keys() == meant.keys()
            for key, value in meant.items():
                assert (token[key] is None) == (value is None), (customer, key)
                assert value is None or math.isclose(token[key], value, rel_tol=1e-9, abs_tol=1e-6), (customer, key)


@given(histories())
@settings(max_examples=20, deadline=None)
def test_a_customer_has_the_same_tokens_alone_as_among_others(history: History) -> None:
    orders, _, events = history
    one = pl.col("customer_id") == 1

    alone = build_tokens(orders.filter(one), events.filter(one), as_of=AS_OF)

    assert_frame_equal(alone, build_tokens(orders, events, as_of=AS_OF).filter(one))


@given(histories())
@settings(max_examples=20, deadline=None)
def test_scoring_which_reads_less_of_the_past_sees_the_tokens_of_training(history: History) -> None:
    orders, _, events = history

    read = events.filter(pl.col("occurred_at") >= events_needed_since(AS_OF))

    assert_frame_equal(build_tokens(orders, read, as_of=AS_OF), build_tokens(orders, events, as_of=AS_OF))


def test_the_newest_are_kept_and_counted_from_the_first() -> None:
    orders = frame([order(3 * n) for n in range(100, 0, -1)], ORDER_SCHEMA)

    (sequence,) = build_tokens(orders, as_of=AS_OF)["tokens"].to_list()

    assert len(sequence) == MOST_TOKENS
    assert [token["nth"] for token in sequence] == list(range(37, 101))
    assert sequence[-1]["age_days"] == 3.0
    assert {token["gap_days"] for token in sequence} == {3.0}


def test_what_happens_often_on_one_day_is_one_token() -> None:
    orders = frame([order(10.05), order(10.1, total=5.0), order(9, total=-20.0, is_return=True)], ORDER_SCHEMA)
    events = frame([view(10.2), view(10.3), view(10.25, kind="search_performed")], EVENT_SCHEMA)

    (sequence,) = build_tokens(orders, events, as_of=AS_OF)["tokens"].to_list()

    told = [(tokens.KINDS[token["kind"]], token["amount"], token["times"]) for token in sequence]
    assert told == [
        ("search_performed", 0.0, 1.0), ("product_viewed", 0.0, 2.0), ("ordered", 25.0, 2.0), ("returned", -20.0, 1.0),
    ]  # fmt: skip


def test_every_kind_of_event_has_its_place_and_events_count_as_long_as_for_features() -> None:
    shapeless = {EventKind.PAGE_VIEWED, EventKind.CUSTOM}  # they mean something else in each shop
    by_other_channels = {
        kind for kind in EventKind.values if kind.startswith("message_")
    }  # younger than what was trained
    assert set(tokens.KINDS) == {tokens.ORDERED, tokens.RETURNED, *EventKind.values} - shapeless - by_other_channels
    assert tokens.EVENT_WINDOW_DAYS == builder.EVENT_WINDOW_DAYS


def test_sequences_are_padded_as_they_are() -> None:
    orders = frame([order(30), order(9), order(4, customer=2)], ORDER_SCHEMA)
    built = build_tokens(orders, as_of=AS_OF)
    rows = pl.DataFrame({"customer_id": [2, 3, 1]}).join(built, on="customer_id", how="left")

    sequences = read_sequences(rows)
    kinds, numbers, present = sequences.pad(np.arange(3))

    assert sequences.lengths.tolist() == [1, 0, 2]
    assert present.tolist() == [[True, False], [False, False], [True, True]]
    assert kinds.shape == (3, 2)
    assert np.allclose(numbers[:, :, 0], np.log1p([[4, 0], [0, 0], [30, 9]]))
    assert np.isnan(numbers[2, 0, 1])
    assert np.isfinite(Scale.measure(sequences).apply(sequences).numbers).all()


def test_every_row_is_drawn_once_an_epoch_and_the_seed_decides_when() -> None:
    orders = frame([order(30 + c, customer=c) for c in range(1, 71) for _ in range(1 + c % 3)], ORDER_SCHEMA)
    sequences = read_sequences(build_tokens(orders, as_of=AS_OF))
    rows = np.arange(3, 70)

    def draw(seed: int) -> list[list[int]]:
        return [b.tolist() for b in draw_batches(sequences, rows, size=8, rng=np.random.default_rng(seed))]

    assert sorted(row for batch in draw(1) for row in batch) == rows.tolist()
    assert draw(1) == draw(1) != draw(2)


def test_an_empty_shop_has_no_tokens() -> None:
    built = build_tokens(frame([], ORDER_SCHEMA), frame([], EVENT_SCHEMA), as_of=dt.datetime(2025, 1, 1, tzinfo=UTC))

    assert built.is_empty()
    assert read_sequences(built).lengths.tolist() == []
