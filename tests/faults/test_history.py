"""The judge is judged with forged histories: each kind of harm is seen, and a clean one is clean."""

from __future__ import annotations

from .history import (
    Toll,
    arrival_rate,
    count_between,
    count_steps_back,
    judge_history,
    judge_recipients,
    judge_withdrawals,
    longest_silence,
    most_in_window,
    resume_time,
)

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


def test_what_arrives_inside_a_span_is_seen_and_what_arrives_beside_it_is_not() -> None:
    assert count_between([1.0, 2.5, 4.0, 7.0], [(2.0, 3.0), (6.0, 6.5)]) == 1
    assert count_between([2.5], [(3.0, 2.0)]) == 0, "a span that ends before it begins"
    assert count_between([2.5, 2.6], [(2.0, 3.0), (1.0, 4.0)]) == 2, "each arrival once, however many spans hold it"


def test_a_message_after_a_withdrawal_is_late_and_one_just_on_its_way_is_not() -> None:
    withdrawn = {"a": 10.0, "b": 10.0, "c": 10.0, "d": 10.0}
    found = judge_withdrawals(withdrawn, [(9.0, "a"), (10.4, "b"), (11.5, "c"), (99.0, "x")])
    assert (found.before, found.late, found.spared) == (("a", "b"), ("c",), ("d",))
    assert found.longest_s == 1.5


def test_a_second_message_that_is_late_is_seen_behind_a_first_that_was_not() -> None:
    assert judge_withdrawals({"a": 10.0}, [(9.0, "a"), (12.0, "a")]).late == ("a",)
    assert judge_withdrawals({"a": 10.0}, [(9.0, "a")]).longest_s is None


def test_the_fullest_window_is_found_wherever_it_lies() -> None:
    assert most_in_window([], 7) == 0
    assert most_in_window([0, 7, 14], 7) == 1, "seven days after is outside"
    assert most_in_window([0, 6.9, 14, 15, 16, 30], 7) == 3
    assert most_in_window([16, 0, 15, 14], 7) == 3, "in any order"


def test_a_row_that_goes_back_is_seen() -> None:
    rank = {"accepted": 0, "delivered": 1, "bounced": 2}
    assert count_steps_back(["accepted", "delivered", "bounced"], rank) == 0
    assert count_steps_back(["accepted", "bounced", "delivered", "bounced", "accepted"], rank) == 2


def test_a_rate_is_counted_from_the_first_arrival_to_the_last() -> None:
    assert arrival_rate([10.0, 10.5, 11.0]) == 2.0
    assert arrival_rate([11.0, 10.0, 10.5]) == 2.0
    assert arrival_rate([]) == arrival_rate([3.0]) == 0.0


def test_of_a_sender_that_shows_only_numbers_each_kind_of_harm_is_seen() -> None:
    assert judge_recipients(3, ["a", "b", "c"], 0) == Toll(0, 0, 0, 0)
    assert judge_recipients(3, ["a", "b", "c", "b", "b"], 0) == Toll(2, 0, 0, 0)
    assert judge_recipients(3, ["a"], 2) == Toll(0, 2, 0, 0)
    assert judge_recipients(3, ["a"], 0) == Toll(0, 0, 0, 2)
    assert judge_recipients(4, ["a", "a"], 1, 1) == Toll(1, 1, 1, 1)
    assert judge_recipients(2, ["a", "b"], 1) == Toll(0, 0, 0, 0), "sent, and its row not yet gone"
