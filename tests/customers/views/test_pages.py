"""What the page about one customer says: repeats folded."""

from __future__ import annotations

from customers.views.timeline import _fold_repeats


def entry(kind: str, day: int, detail: str = "") -> dict[str, object]:
    return {
        "kind": kind,
        "label": kind,
        "order": None,
        "detail": detail,
        "happened_at": day,
        "first_at": day,
        "times": 1,
    }


def test_a_run_of_the_same_thing_is_one_row_with_its_first_day() -> None:
    told = [
        entry("sent", 9),
        entry("sent", 8),
        entry("viewed", 7, "Tent"),
        entry("viewed", 6, "Tent"),
        entry("sent", 5),
    ]
    assert [(row["kind"], row["times"], row["first_at"]) for row in _fold_repeats(told)] == [
        ("sent", 2, 8),
        ("viewed", 1, 7),
        ("viewed", 1, 6),
        ("sent", 1, 5),
    ]


def test_two_things_of_one_kind_that_say_different_things_are_two_rows() -> None:
    told = [entry("custom", 9) | {"label": "rated 5"}, entry("custom", 8) | {"label": "rated 1"}]
    assert [row["times"] for row in _fold_repeats(told)] == [1, 1]
