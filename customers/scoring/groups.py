"""Which attributes the shop holds to be sensitive, and a fairness report of the model in use for each of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import numpy as np
import polars as pl
import structlog
from django.contrib.auth.models import AnonymousUser, User
from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.db import connection

from customers.features.catalogue import FEATURE_KEYS
from customers.features.reader import read_rows, read_shop, split_customers
from customers.ingest.country_spellings import country_sql
from customers.models import AuditAction, Customer, FairnessReport, ModelVersion, SensitiveAttributes, record_audit

from .backtest import Backtest, run_backtest
from .fairness import group_names, measure_groups
from .runner import MOST_CUSTOMERS_TRAINED_ON
from .snapshots import NotEnoughHistory

COLUMNS = ("country", "language")
MOST_ATTRIBUTES = 12
LONGEST_VALUE = 60
TRIED_AGAIN_S = 3600

logger = structlog.get_logger(__name__)


def read_sensitive() -> list[str]:
    """The attributes in force: "country", "language" or keys of Customer.attributes. None at first."""
    newest = SensitiveAttributes.objects.order_by("-pk").values_list("keys", flat=True).first()
    return [str(key) for key in newest or []]


def list_attributes() -> list[str]:
    """What can be marked: country, language, and the keys that occur in the attributes of the newest customers."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT jsonb_object_keys(attributes) FROM (SELECT attributes FROM customers_customer"
            " WHERE jsonb_typeof(attributes) = 'object' ORDER BY id DESC LIMIT 1000) newest ORDER BY 1"
        )
        found = [str(row[0]) for row in cursor.fetchall()]
    return [*COLUMNS, *(key for key in found if key not in COLUMNS and len(key) <= 120)]


def mark_sensitive(user: User | AnonymousUser, keys: Sequence[str], *, now: dt.datetime) -> bool:
    """Say which attributes are sensitive; False where the same were in force. Unknown keys are dropped.

    Raises PermissionDenied without the right.
    """
    if not isinstance(user, User) or not user.has_perm("customers.add_sensitiveattributes"):
        raise PermissionDenied("customers.add_sensitiveattributes")
    chosen = [key for key in list_attributes() if key in set(keys)][:MOST_ATTRIBUTES]
    if chosen == read_sensitive():
        return False
    SensitiveAttributes.objects.create(keys=chosen, changed_by=user, changed_at=now)
    record_audit(AuditAction.GROUPS_MARKED, actor=user, keys=chosen)
    logger.info("sensitive_attributes_marked", keys=chosen, actor=user.pk)
    return True


def read_reports(model: ModelVersion) -> list[FairnessReport]:
    """The reports of a model for the attributes in force, in their order."""
    found = {report.attribute: report for report in FairnessReport.objects.filter(model=model)}
    return [found[key] for key in read_sensitive() if key in found]


def missing_reports() -> list[str]:
    """Attributes in force for which the model in use has no report yet."""
    model = ModelVersion.objects.in_use().only("pk").first()
    if model is None:
        return []
    present = set(FairnessReport.objects.filter(model=model).values_list("attribute", flat=True))
    return [key for key in read_sensitive() if key not in present]


def review_groups(*, threshold: float, seed: int = 0) -> int:
    """Make the reports that are missing for the model in use; returns how many.

    `threshold` is the probability from which on people count as at risk. The model's own back-test is run again, with the
    same cutoff and seed: what is judged are people whom that model had not seen. Safe to run twice; what could not be
    judged is tried again after TRIED_AGAIN_S, because a back-test takes its time each time.
    """
    wanted = missing_reports()
    model = ModelVersion.objects.in_use().defer("artifact").first()
    if model is None or not wanted or "test_cutoff" not in model.card:
        return 0
    tried = f"groups-not-reviewed:{model.pk}"
    if cache.get(tried) == wanted:
        return 0
    cutoff = dt.datetime.fromisoformat(model.card["test_cutoff"]).replace(tzinfo=dt.UTC)
    sample = split_customers(Customer.objects.count(), most=MOST_CUSTOMERS_TRAINED_ON)[0]
    shop = read_shop(before=cutoff + dt.timedelta(days=model.horizon_days), partition=sample)
    try:
        backtest = run_backtest(
            shop,
            cutoff=cutoff,
            horizon_days=model.horizon_days,
            seed=model.card.get("seed", seed),
            replicates=2,
            champion=model.estimator,
        )
    except NotEnoughHistory:
        logger.info("groups_not_reviewed", model_version=model.version, reason="not_enough_history")
        cache.set(tried, wanted, TRIED_AGAIN_S)
        return 0
    if model.estimator not in backtest.predictions:  # the self-attention model, and no PyTorch on this machine
        logger.info("groups_not_reviewed", model_version=model.version, reason="estimator_cannot_work")
        cache.set(tried, wanted, TRIED_AGAIN_S)
        return 0
    return sum(_review(model, backtest, key, threshold=threshold, seed=seed) for key in wanted)


def _review(model: ModelVersion, backtest: Backtest, key: str, *, threshold: float, seed: int) -> int:
    names = _read_values(key)
    test = backtest.test.join(names, on="customer_id", how="left", maintain_order="left")
    columns = [name for name in backtest.columns if name in FEATURE_KEYS]
    report = measure_groups(
        group_names(test["group_name"]),
        backtest.churned,
        backtest.predictions[model.estimator],
        threshold=threshold,
        features={name: np.asarray(test[name].cast(pl.Float64).to_numpy(), dtype=np.float64) for name in columns},
        seed=seed,
    )
    _row, is_new = FairnessReport.objects.get_or_create(
        model=model, attribute=key, defaults={"figures": report.to_json(), "warnings": report.warnings}
    )
    logger.info("groups_reviewed", model_version=model.version, attribute=key, warnings=report.warnings)
    return int(is_new)


def value_sql(key: str, customer: str = "c") -> str:
    """SQL for the value of an attribute as text, null where it is not known, of a row of customers_customer.

    A key is what somebody once typed, so it does not enter SQL as text: `chr` codes rebuild it.
    """
    if key == "country":
        return f"nullif(left({country_sql(customer)}, {LONGEST_VALUE}), '')"
    if key in COLUMNS:
        return f"nullif(left({customer}.{key}, {LONGEST_VALUE}), '')"
    spelt = " || ".join(f"chr({ord(letter)})" for letter in key)
    return f"nullif(left({customer}.attributes ->> ({spelt}), {LONGEST_VALUE}), '')"


def _read_values(key: str) -> pl.DataFrame:
    """customer_id and group_name."""
    columns = (("customer_id", "c.id", pl.Int64), ("group_name", value_sql(key), pl.String))
    return read_rows(columns, "FROM customers_customer c")
