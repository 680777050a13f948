"""Tokens are Django's: what stands in mail that was sent before is made, and read, the same way."""

from __future__ import annotations

import pytest
from django.core.signing import Signer
from pytest_django import Settings

from campaigns.delivery.tokens import sign_token


@pytest.mark.parametrize("value", ["1-2", "7-1-aHR0cHM6Ly9zaG9wLnRlc3QvYQ", "雨", ""])
def test_a_token_is_what_a_signer_makes(value: str) -> None:
    assert sign_token(value, salt="somewhere") == Signer(sep=".", salt="somewhere").sign(value)


def test_another_key_or_another_salt_is_another_token(settings: Settings) -> None:
    token = sign_token("1-2", salt="somewhere")
    assert sign_token("1-2", salt="elsewhere") != token
    settings.SECRET_KEY = "another"
    assert sign_token("1-2", salt="somewhere") == Signer(sep=".", salt="somewhere").sign("1-2") != token
