"""Trains a model version from the database and writes everybody's scores."""

from __future__ import annotations

import datetime as dt

from customers.features.reader import Partition
from customers.models import ModelVersion


def train_model_version(*, now: dt.datetime, horizon_days: int | None = None, seed: int = 0) -> ModelVersion:
    """Train on the orders before `now`, store the version and make it the one in use; raises NotEnoughHistory."""
    raise NotImplementedError


def score_customers(model: ModelVersion, *, as_of: dt.datetime, partition: Partition | None = None) -> int:
    """Write Score and ScoreHistory for every customer (or those of one partition); returns how many were written."""
    raise NotImplementedError
