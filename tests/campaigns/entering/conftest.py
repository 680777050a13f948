"""The two people who act."""

from __future__ import annotations

import pytest

from tests.campaigns import arrange
from tests.campaigns.arrange import Cast


@pytest.fixture
def cast(db: None) -> Cast:
    return arrange.make_cast()
