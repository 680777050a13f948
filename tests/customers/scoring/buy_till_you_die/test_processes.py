from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import hyp2f1

from customers.scoring.buy_till_you_die import BgNbd, DegenerateFit, Histories, ParetoNbd, read_histories
from customers.scoring.buy_till_you_die.histories import make_histories
from customers.scoring.buy_till_you_die.pareto_nbd import _integrate_deaths, _log_alive

from .conftest import CdnowSample, simulate_pareto_nbd

MODELS = [BgNbd, ParetoNbd]
each_model = pytest.mark.parametrize("model", MODELS, ids=lambda kind: kind.name)

PUBLISHED = {
    "bg_nbd": ((0.243, 4.414, 0.793, 2.426), -9582.4, 0.626),
    "pareto_nbd": ((0.553, 10.578, 0.606, 11.669), -9595.0, 0.630),
}


@each_model
def test_the_published_fit_of_cdnow(model: type[BgNbd], cdnow_sample: CdnowSample) -> None:
    """Fader, Hardie and Lee 2005, tables 2 and 3."""
    theta, log_likelihood, correlation = PUBLISHED[model.name]

    fitted = model().fit_histories(cdnow_sample.histories)
    expected = fitted.expected_orders(cdnow_sample.histories, 39 * 7)

    assert fitted.theta_ == pytest.approx(theta, abs=0.0015)
    assert fitted.log_likelihood_ == pytest.approx(log_likelihood, abs=0.05)
    assert np.corrcoef(expected, cdnow_sample.later_orders)[0, 1] == pytest.approx(correlation, abs=0.001)
    assert not fitted.is_guarded_


def test_the_published_total_of_pareto_nbd(cdnow_sample: CdnowSample) -> None:
    fitted = ParetoNbd().fit_histories(cdnow_sample.histories)
    total = fitted.expected_orders(cdnow_sample.histories, 39 * 7).sum()

    assert total / cdnow_sample.later_orders.sum() - 1 == pytest.approx(-0.115, abs=0.001)


def test_the_published_expectation_of_one_customer() -> None:
    """x = 2, t_x = 30.43, T = 38.86 gives 1.226 orders in 39 weeks (the authors' worked example of BG/NBD)."""
    fitted = with_theta(BgNbd(), PUBLISHED["bg_nbd"][0])
    one = make_histories(np.array([2.0]), np.array([30.43]), np.array([38.86]))

    assert fitted.expected_orders(one, 39 * 7)[0] == pytest.approx(1.226, abs=0.001)


@each_model
def test_slopes_are_those_of_the_likelihood(model: type[BgNbd]) -> None:
    histories = make_histories(np.array([0.0, 1, 7, 40]), np.array([0.0, 3, 20, 30]), np.array([30.0, 30, 21, 30]))
    theta = np.array([0.6, 7.0, 0.8, 5.0])
    _, slopes = model().climb_histories(histories, theta)

    for i in range(4):
        step = np.eye(4)[i] * 1e-6 * theta[i]
        up, down = (model().log_likelihoods(histories, theta + way * step) for way in (1, -1))
        assert np.allclose(slopes[:, i], (up - down) / (2 * step[i]), rtol=1e-4, atol=1e-6)


positive = st.floats(0.05, 20)


@st.composite
def histories(draw: st.DrawFn) -> Histories:
    x = draw(st.integers(0, 60))
    age = draw(st.floats(0.2, 150))
    return make_histories(np.array([float(x)]), np.array([age * draw(st.floats(0, 1))]), np.array([age]))


@given(histories(), positive, positive, positive, positive)
@settings(max_examples=150, deadline=None)
def test_the_likelihood_of_pareto_nbd_by_hypergeometric_functions(
    history: Histories, r: float, alpha: float, s: float, beta: float
) -> None:
    """The closed form of Fader and Hardie's note, which our quadrature replaces."""
    theta = np.array([r, alpha, s, beta])
    x, t_x, T = history.x[0], history.t_x[0], history.T[0]
    power = r + s + x
    high, low, second = (alpha, beta, s + 1) if alpha >= beta else (beta, alpha, r + x)

    def part(t: float) -> float:
        return float(hyp2f1(power, second, power + 1, (high - low) / (high + t)) / (high + t) ** power)

    dead = s / power * (part(t_x) - part(T))
    alive = (alpha + T) ** -(r + x) * (beta + T) ** -s
    shared = ParetoNbd().log_likelihoods(history, theta)[0] - np.logaddexp(*_log_parts(history, theta))
    if not np.isfinite(alive + dead) or alive < 1e-280 or dead < 1e-9 * part(t_x):
        return  # the closed form itself has lost its digits

    assert np.exp(ParetoNbd().log_likelihoods(history, theta)[0] - shared - np.log(alive + dead)) == pytest.approx(
        1, rel=1e-4
    )


def _log_parts(history: Histories, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return _log_alive(history, theta), _integrate_deaths(history, theta, means=False)[0]


@given(histories(), positive, positive, positive, st.floats(1, 400))
@settings(max_examples=80, deadline=None)
def test_the_expected_orders_of_bg_nbd_by_its_closed_form(
    history: Histories, r: float, alpha: float, b: float, horizon: float
) -> None:
    """Equation (10) of Fader, Hardie and Lee, where a is well away from its pole at 1."""
    a, x, t = 2.5, history.x[0], horizon / 7
    fitted = with_theta(BgNbd(), (r, alpha, a, b))
    grown = alpha + history.T[0]
    z = t / (grown + t)
    inner = 1 - (grown / (grown + t)) ** (r + x) * hyp2f1(r + x, b + x, a + b + x - 1, z)
    closed = (a + b + x - 1) / (a - 1) * inner * fitted.probability_alive(history)[0]

    assert fitted.expected_orders(history, horizon)[0] == pytest.approx(closed, rel=1e-3, abs=1e-6)


@each_model
@given(history=histories(), theta=st.tuples(positive, positive, positive, positive), horizon=st.floats(1, 400))
@settings(max_examples=60, deadline=None)
def test_whatever_the_history_the_answers_make_sense(model, history, theta, horizon) -> None:  # type: ignore[no-untyped-def]
    """Nobody is likelier to order soon than ever; alive and silent is possible, dead and ordering is not."""
    fitted = with_theta(model(), theta)
    sooner, later = (fitted.probability_no_order(history, days)[0] for days in (horizon, horizon * 2))
    alive, orders = fitted.probability_alive(history)[0], fitted.expected_orders(history, horizon)[0]

    assert 0 <= later <= sooner + 1e-9 <= 1 + 1e-9
    assert 0 <= alive <= 1
    assert sooner >= 1 - alive - 1e-6
    assert orders >= 1 - sooner - 1e-4


@each_model
def test_hundreds_of_orders_and_tiny_parameters_stay_finite(model: type[BgNbd]) -> None:
    history = make_histories(np.array([400.0, 0.0, 3.0]), np.array([50.0, 0.0, 0.0]), np.array([51.0, 1 / 7, 900.0]))
    for theta in ((1e-3, 1e-3, 1e-3, 1e-3), (1e4, 1e4, 1e4, 1e4), (0.7, 9.3, 1e-4, 1e4)):
        fitted = with_theta(model(), theta)

        assert np.isfinite(fitted.log_likelihoods(history, fitted.theta_)).all()
        assert np.isfinite(fitted.probability_no_order(history, 90)).all()
        assert np.isfinite(fitted.expected_orders(history, 90)).all()


def test_all_at_once_is_the_same_as_one_by_one() -> None:
    fitted = with_theta(ParetoNbd(), PUBLISHED["pareto_nbd"][0])
    histories = make_histories(np.array([0.0, 2, 9, 2]), np.array([0.0, 30, 12, 30]), np.array([20.0, 39, 39, 39]))

    told = fitted.foretell(histories, 90)

    assert np.allclose(told[0], fitted.probability_no_order(histories, 90))
    assert np.allclose(told[1], fitted.probability_alive(histories))
    assert np.allclose(told[2], fitted.expected_orders(histories, 90))


def test_equal_histories_are_merged_and_found_again() -> None:
    histories = make_histories(np.array([2.0, 0, 2, 5]), np.array([3.0, 0, 3, 3]), np.array([9.0, 9, 9, 9]))

    merged, place = histories.merge_with_places()

    assert len(merged) == 3 and merged.weight.sum() == 4
    assert np.array_equal(merged.x[place], histories.x) and np.array_equal(merged.T[place], histories.T)


def test_no_order_is_likelier_than_dead() -> None:
    """Why 1 - P(alive) is no churn score: somebody alive with one order a year seldom orders within three months."""
    fitted = with_theta(ParetoNbd(), PUBLISHED["pareto_nbd"][0])
    rare = make_histories(np.array([1.0]), np.array([30.0]), np.array([38.0]))

    assert fitted.probability_no_order(rare, 90)[0] > 1 - fitted.probability_alive(rare)[0] + 0.2


def test_on_customers_who_behave_so_the_probabilities_come_true() -> None:
    histories, later = simulate_pareto_nbd(
        customers=4000, theta=(0.8, 8.0, 0.6, 12.0), weeks=40, later_weeks=90 / 7, seed=3
    )
    fitted = ParetoNbd(horizon_days=90).fit_histories(histories)
    p = fitted.probability_no_order(histories, 90)

    for part in np.array_split(np.argsort(p), 5):
        assert p[part].mean() == pytest.approx((later[part] == 0).mean(), abs=0.05)
    assert fitted.expected_orders(histories, 90).sum() == pytest.approx(later.sum(), rel=0.08)


@each_model
def test_customers_who_never_stop_are_held_by_the_prior(model: type[BgNbd]) -> None:
    """As in the UCI shop: no death can be seen, and the likelihood runs away along a ridge."""
    rng = np.random.default_rng(1)
    rate = rng.gamma(1.0, 1 / 8.0, 800)
    x = rng.poisson(rate * 30).astype(float)
    t_x = np.where(x > 0, 30 * rng.beta(np.maximum(x, 1), 1), 0.0)
    histories = make_histories(x, t_x, np.full(800, 30.0))

    fitted = model().fit_histories(histories)

    assert np.isfinite(fitted.theta_).all()
    assert fitted.theta_.max() < 1e4 and fitted.theta_.min() > 1e-4
    assert fitted.probability_no_order(histories, 90).mean() == pytest.approx(
        ((8.0 / 1.0) / (8.0 + 90 / 7)) ** 1.0, abs=0.06
    )


@each_model
def test_where_nobody_orders_twice_there_is_no_fit(model: type[BgNbd]) -> None:
    lonely = make_histories(np.zeros(500), np.zeros(500), np.linspace(1, 50, 500))

    with pytest.raises(DegenerateFit, match="more than one day"):
        model().fit_histories(lonely)


@each_model
def test_it_follows_scikit_learn_on_a_frame_of_features(model: type[BgNbd]) -> None:
    rng = np.random.default_rng(5)
    orders = rng.integers(1, 8, 400)
    tenure = rng.uniform(20, 300, 400)
    frame = pl.DataFrame(
        {
            "order_days": orders,
            "tenure_days": tenure,
            "recency_days": np.where(orders > 1, tenure * rng.uniform(0, 1, 400), tenure),
        }
    )
    fitted = model(horizon_days=60)

    assert fitted.fit(frame) is fitted
    p = fitted.predict_proba(frame)
    again = model.from_dict(json.loads(json.dumps(fitted.to_dict())))

    assert p.shape == (400, 2)
    assert np.allclose(p.sum(axis=1), 1)
    assert np.allclose(p[:, 1], fitted.probability_no_order(read_histories(frame), 60))
    assert np.array_equal(again.predict_proba(frame), p)


def test_an_impossible_history_is_refused() -> None:
    with pytest.raises(ValueError, match="after now"):
        make_histories(np.array([1.0]), np.array([9.0]), np.array([5.0]))


def with_theta(model, theta):  # type: ignore[no-untyped-def]
    model.theta_ = np.asarray(theta, dtype=float)
    return model
