"""A seeded simulator of an outdoor shop with a known truth; see docs/demo-shop.md. Imports no Django."""

from .behaviour import LEAN, ShopSettings
from .catalogue import CURRENCY, SHOP_NAME, SHOP_NAME_ZH, SHOP_URL
from .frames import Shop
from .messages import CampaignMessage, TrueEffect
from .shop import ShopSimulator, iter_shop, simulate_shop

__all__ = [
    "CURRENCY",
    "LEAN",
    "SHOP_NAME",
    "SHOP_NAME_ZH",
    "SHOP_URL",
    "CampaignMessage",
    "Shop",
    "ShopSettings",
    "ShopSimulator",
    "TrueEffect",
    "iter_shop",
    "simulate_shop",
]
