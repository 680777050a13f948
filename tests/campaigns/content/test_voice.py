"""What a voice and the policies may hold, which revision counts, and that nobody overwrites another's unseen."""

from __future__ import annotations

import datetime as dt
import threading
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction

from campaigns.content.facts import build_facts
from campaigns.content.policies import add_policies, clean_policies, read_policies
from campaigns.content.voice import add_voice, clean_voice_text, make_empty_voice, read_voice
from campaigns.models import Archetype, BrandVoice, ShopPolicies, TransitionConflict

NOW = dt.datetime(2026, 11, 23, 12, tzinfo=dt.UTC)


def faults_of(given: dict[str, Any], language: str = "en") -> dict[str, list[str]]:
    with pytest.raises(ValidationError) as caught:
        clean_voice_text(given, language)
    return caught.value.message_dict


def test_a_voice_is_tidied() -> None:
    voice = clean_voice_text(
        {
            "personality": "  Dry\u200b and\nkind ",
            "banned": ["Cheap", " cheap ", "", "last\u202e chance"],
            "limits": {"emoji": 0},
        },
        "en",
    )
    assert voice["personality"] == "Dry and kind"
    assert voice["banned"] == ["Cheap", "last chance"]
    assert voice["limits"] == {"sentence_length": None, "exclamation_marks": None, "emoji": 0, "address": ""}
    assert voice["do"] == []


def test_nothing_given_is_the_empty_voice() -> None:
    assert clean_voice_text({}, "zh") == make_empty_voice()


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"personality": "x" * 601}, "personality"),
        ({"personality": 7}, "personality"),
        ({"do": ["x" * 161]}, "do"),
        ({"dont": [f"not {n}" for n in range(11)]}, "dont"),
        ({"examples": "one text"}, "examples"),
        ({"banned": [7]}, "banned"),
        ({"banned": ["a"]}, "banned"),
        ({"avoid": ["!"]}, "avoid"),
        ({"banned": ["Hurry"], "avoid": ["hurry"]}, "avoid"),
        ({"banned": ["cheap"], "examples": ["Not a cheap tent."]}, "examples"),
        ({"limits": {"sentence_length": 4}}, "sentence_length"),
        ({"limits": {"emoji": 21}}, "emoji"),
        ({"limits": {"exclamation_marks": "2"}}, "exclamation_marks"),
        ({"limits": {"emoji": True}}, "emoji"),
        ({"limits": {"address": "您"}}, "address"),
        ({"limits": {"loudness": 3}}, "limits"),
    ],
)
def test_what_cannot_be_a_voice_is_refused_at_its_field(given: dict[str, Any], field: str) -> None:
    assert list(faults_of(given)) == [field]


def test_unknown_languages_and_fields_are_refused() -> None:
    for given, language in (({}, "de"), ({"slogan": "x"}, "en")):
        with pytest.raises(ValidationError):
            clean_voice_text(given, language)


def test_one_han_sign_may_be_banned() -> None:
    assert clean_voice_text({"banned": ["最"], "limits": {"address": "您"}}, "zh")["banned"] == ["最"]


@pytest.mark.parametrize("given", [["x" * 201], ["Hello {{ first_name }}"], [f"Rule {n}" for n in range(31)], "x", [1]])
def test_what_cannot_be_a_policy_is_refused(given: Any) -> None:
    with pytest.raises(ValidationError):
        clean_policies(given)


def test_policies_are_tidied() -> None:
    assert clean_policies(["  Free\nreturns ", "", "Free returns", "Open daily"]) == ["Free returns", "Open daily"]


@pytest.mark.django_db
def test_the_newest_revision_counts_and_the_other_language_stays(approver: User) -> None:
    assert read_voice() is None
    add_voice(approver, {"en": {"personality": "Dry"}}, base=0, note="First", now=NOW)
    second = add_voice(approver, {"zh": {"personality": "亲切"}}, base=1, now=NOW)
    assert read_voice() == second
    assert second.number == 2
    assert [second.texts[language]["personality"] for language in ("en", "zh")] == ["Dry", "亲切"]


@pytest.mark.django_db
def test_what_changes_nothing_is_no_revision(approver: User) -> None:
    add_voice(approver, {"en": {"personality": "Dry"}}, base=0, now=NOW)
    add_policies(approver, {"en": ["Open daily"]}, base=0, now=NOW)
    for again in (
        lambda: add_voice(approver, {"en": {"personality": " Dry "}}, base=1, now=NOW),
        lambda: add_policies(approver, {"en": ["Open daily"]}, base=1, now=NOW),
    ):
        with pytest.raises(ValidationError, match="Nothing was changed"):
            again()
    assert BrandVoice.objects.count() == ShopPolicies.objects.count() == 1


@pytest.mark.django_db
def test_who_did_not_see_the_newest_is_told_whose_it_is(approver: User, site_admin: User) -> None:
    add_voice(site_admin, {"en": {"personality": "Dry"}}, base=0, now=NOW)
    add_policies(site_admin, {"en": ["Open daily"]}, base=0, now=NOW)
    with pytest.raises(TransitionConflict, match="ada saved v1"):
        add_voice(approver, {"en": {"personality": "Loud"}}, base=0, now=NOW)
    with pytest.raises(TransitionConflict, match="ada saved v1"):
        add_policies(approver, {"en": ["Closed"]}, base=0, now=NOW)
    with pytest.raises(TransitionConflict):
        add_voice(approver, {"en": {"personality": "Loud"}}, base=7, now=NOW)
    assert read_voice() == BrandVoice.objects.get()


@pytest.mark.django_db(transaction=True)
def test_of_two_who_save_at_once_one_is_told(approver: User) -> None:
    """Both have read that there is none; the database's key decides."""
    both, outcomes = threading.Barrier(2), []

    def save(words: str) -> None:
        try:
            with transaction.atomic():
                assert read_voice() is None
                both.wait(timeout=30)
                add_voice(approver, {"en": {"personality": words}}, base=0, now=NOW)
            outcomes.append("saved")
        except TransitionConflict:
            outcomes.append("told")
        finally:
            connection.close()

    threads = [threading.Thread(target=save, args=(words,)) for words in ("Dry", "Loud")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["saved", "told"]
    assert BrandVoice.objects.count() == 1


@pytest.mark.django_db
def test_a_revision_is_never_changed_or_deleted(approver: User) -> None:
    add_voice(approver, {"en": {"personality": "Dry"}}, base=0, now=NOW)
    for attempt in (lambda: BrandVoice.objects.update(note="x"), lambda: BrandVoice.objects.all().delete()):
        with pytest.raises(IntegrityError, match="never changed"), transaction.atomic():
            attempt()


def test_bad_input_is_named_by_language_and_field(approver: User) -> None:
    with pytest.raises(ValidationError) as caught:
        add_voice(approver, {"en": {"banned": ["a"]}, "zh": {"limits": {"emoji": -1}}, "de": {}}, base=0, now=NOW)
    assert set(caught.value.message_dict) == {"en.banned", "zh.emoji", "de"}
    with pytest.raises(ValidationError) as refused:
        add_policies(approver, {"en": "x", "de": []}, base=0, now=NOW)
    assert set(refused.value.message_dict) == {"en", "de"}
    assert read_voice() is None
    assert read_policies() is None


def test_the_facts_of_a_text_hold_the_voice_and_policies_of_its_language(
    approver: User, archetype: Archetype, chinese_archetype: Archetype
) -> None:
    facts = build_facts(archetype, now=NOW)
    assert (facts["voice"], facts["policies"], facts["policies_version"]) == ({}, [], None)
    add_voice(approver, {"en": {"banned": ["cheap"]}}, base=0, now=NOW)
    add_policies(approver, {"en": ["Returns within 30 days"], "zh": ["三十天内可退货"]}, base=0, now=NOW)
    english, chinese = build_facts(archetype, now=NOW), build_facts(chinese_archetype, now=NOW)
    assert (english["voice"]["version"], english["voice"]["banned"]) == (1, ["cheap"])
    assert chinese["voice"] == {}
    assert (english["policies"], english["policies_version"]) == (["Returns within 30 days"], 1)
    assert chinese["policies"] == ["三十天内可退货"]
