"""Buy-till-you-die models: when customers order until, unseen, they stop for good; and what an order of theirs is worth."""

from .bg_nbd import BgNbd
from .gamma_gamma import GammaGamma, GammaGammaRejected
from .histories import Histories, read_histories
from .pareto_nbd import ParetoNbd
from .process import DegenerateFit, PurchaseProcess

__all__ = [
    "BgNbd",
    "DegenerateFit",
    "GammaGamma",
    "GammaGammaRejected",
    "Histories",
    "ParetoNbd",
    "PurchaseProcess",
    "read_histories",
]
