"""The two people of a campaign; and no property test fails because of a clock, since machines are shared and noisy."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from tests.campaigns.arrange import Cast

hypothesis_settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis_settings.load_profile("any machine")


@pytest.fixture
def cast(marketer: User, approver: User) -> Cast:
    return Cast(marketer, approver)
