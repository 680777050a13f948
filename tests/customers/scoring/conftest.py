from __future__ import annotations

import pytest

from customers.features.builder import ShopData
from customers.scoring.training import TrainingResult, train_model

from .simulated_shop import LAST_AT, simulate_shop


@pytest.fixture(scope="session")
def shop() -> ShopData:
    return simulate_shop(customers=600)


@pytest.fixture(scope="session")
def trained(shop: ShopData) -> TrainingResult:
    return train_model(shop, until=LAST_AT, horizon_days=60, replicates=50)
