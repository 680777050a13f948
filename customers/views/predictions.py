"""The model's page: what it says, how good it is, what it was held against."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from customers.insights.risk import AT_RISK, summarise_risk
from customers.models import ModelVersion, Score, ScoreStatus
from customers.tasks import train_and_score

BINS = 20


@require_safe
@permission_required("customers.view_modelversion", raise_exception=True)
def show_predictions(request: HttpRequest) -> HttpResponse:
    """The champion's figures and card, and the scores of today in twenty bins."""
    models = ModelVersion.objects.defer("artifact").order_by("-version")
    champion = models.filter(status=ModelVersion.Status.CHAMPION).first()
    context = {
        "model": champion,
        "models": models[:10],
        "risk": summarise_risk(),
        "at_risk": AT_RISK,
        "bins": _count_bins(),
        "unscored": Score.objects.exclude(status=ScoreStatus.SCORED).values("status").annotate(n=Count("pk")),
    }
    return render(request, "customers/predictions.html", context)


@require_POST
@permission_required("customers.add_modelversion", raise_exception=True)
def request_training(request: HttpRequest) -> HttpResponse:
    """Train and score as soon as a worker is free; a second request while one runs does nothing."""
    train_and_score.delay(timezone.now().isoformat())
    messages.info(request, _("Training has begun. New figures appear here when it is done, in a minute or two."))
    return redirect("customers:predictions")


def _count_bins() -> list[int]:
    """Scored customers per bin of width 1/20; a probability of 1 belongs to the last."""
    edges = [number / BINS for number in range(BINS + 1)]
    counts = Score.objects.filter(status=ScoreStatus.SCORED).aggregate(
        **{
            f"bin_{i}": Count(
                "pk",
                filter=Q(churn_probability__gte=edges[i])
                & (Q(churn_probability__lt=edges[i + 1]) if i < BINS - 1 else Q(churn_probability__lte=1)),
            )
            for i in range(BINS)
        }
    )
    return [counts[f"bin_{i}"] for i in range(BINS)]
