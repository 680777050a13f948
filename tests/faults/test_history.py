"""The judge is judged with forged histories: each kind of harm is seen, and a clean one is clean."""

from __future__ import annotations

from .history import judge_history, longest_silence, resume_time

ASKED = ["a", "b", "c"]
SAID = dict.fromkeys(ASKED, "accepted")


def test_a_clean_history_is_clean() -> None:
    verdict = judge_history(ASKED, ["b", "a", "c"], SAID)
    assert verdict.is_clean and verdict.unknown == ()


def test_a_doubled_message_is_seen_even_when_in_doubt() -> None:
    assert judge_history(ASKED, ["a", "b", "c", "b"], SAID).doubled == ("b",)
    assert judge_history(ASKED, ["a", "b", "c", "b"], SAID | {"b": "unknown"}).doubled == ("b",)


def test_a_message_said_to_be_sent_that_nobody_saw_is_lost() -> None:
    assert judge_history(ASKED, ["a", "b"], SAID).lost == ("c",)


def test_a_message_that_still_waits_or_has_no_row_is_lost() -> None:
    assert judge_history(ASKED, ["a", "b"], SAID | {"c": "queued"}).lost == ("c",)
    assert judge_history(ASKED, ["a", "b"], {"a": "accepted", "b": "accepted"}).lost == ("c",)


def test_doubt_is_neither_lost_nor_clean_of_doubt() -> None:
    unseen = judge_history(ASKED, ["a", "b"], SAID | {"c": "unknown"})
    seen = judge_history(ASKED, ["a", "b", "c"], SAID | {"c": "unknown"})
    assert unseen.is_clean and seen.is_clean and unseen.unknown == seen.unknown == ("c",)


def test_a_message_that_left_without_the_row_saying_so_is_unsaid() -> None:
    assert judge_history(ASKED, ["a", "b", "c"], SAID | {"c": "failed"}).unsaid == ("c",)
    assert judge_history(ASKED, ["a", "b", "c"], SAID | {"c": "queued"}).unsaid == ("c",)


def test_a_message_nobody_asked_for_is_a_stranger() -> None:
    assert judge_history(ASKED, ["a", "b", "c", "x"], SAID).strangers == ("x",)


def test_resuming_is_counted_from_the_end_of_the_fault_to_the_next_arrival() -> None:
    assert resume_time([1.0, 2.0, 9.0, 10.0], [2.5, 9.5]) == 6.5
    assert resume_time([1.0], [2.0]) is None and resume_time([1.0], []) is None


def test_a_silence_that_comes_later_than_the_fault_is_seen() -> None:
    assert longest_silence([1.0, 2.0, 2.6, 9.0, 10.0], [2.5]) == 6.4
    assert longest_silence([1.0, 9.0, 10.0, 12.0], [9.5]) == 2.0
    assert longest_silence([1.0], []) is None
