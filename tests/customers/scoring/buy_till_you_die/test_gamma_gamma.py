from __future__ import annotations

import numpy as np
import pytest

from customers.scoring.buy_till_you_die import GammaGamma, GammaGammaRejected

from .conftest import CdnowSample


def test_the_published_fit_of_cdnow(cdnow_sample: CdnowSample) -> None:
    """Fader, Hardie and Lee 2005, "RFM and CLV": p 6.25, q 3.74, gamma 15.44."""
    repeats = cdnow_sample.histories.x > 0

    fitted = GammaGamma().fit(cdnow_sample.histories.x[repeats], cdnow_sample.repeat_value[repeats])

    assert fitted.theta_ == pytest.approx((6.25, 3.74, 15.44), abs=0.02)


def test_little_knowledge_is_drawn_towards_the_shops_mean() -> None:
    fitted = GammaGamma.from_dict({"theta_": [6.25, 3.74, 15.44]})
    mean = 6.25 * 15.44 / 2.74

    value = fitted.expected_value(np.array([0.0, 1.0, 50.0]), np.array([0.0, 100.0, 100.0]))

    assert value[0] == pytest.approx(mean)
    assert mean < value[1] < value[2] < 100
    assert value[2] == pytest.approx(100, rel=0.02)


@pytest.mark.parametrize("unit", [1.0, 1000.0])
def test_the_currency_does_not_matter(unit: float) -> None:
    rng = np.random.default_rng(2)
    orders = rng.integers(1, 5, 20_000).astype(float)
    mean = rng.gamma(4.0 * orders, 1 / rng.gamma(3.0, 1 / 60.0, 20_000)) / orders * unit

    fitted = GammaGamma().fit(orders, mean)

    assert fitted.theta_[:2] == pytest.approx((4.0, 3.0), rel=0.2)
    assert fitted.theta_[2] == pytest.approx(60 * unit, rel=0.25)


def test_a_fit_without_a_mean_is_rejected() -> None:
    """A few enormous orders: q falls to 1 or below, and expected values would be infinite or negative."""
    rng = np.random.default_rng(0)
    orders = np.full(500, 5.0)
    mean = rng.gamma(20.0, 1 / rng.gamma(0.6, 1 / 5.0, 500)) / 5

    with pytest.raises(GammaGammaRejected, match="does not exist"):
        GammaGamma().fit(orders, mean)


def test_too_few_customers_are_rejected() -> None:
    with pytest.raises(GammaGammaRejected, match="10 customers"):
        GammaGamma().fit(np.ones(10), np.ones(10))
