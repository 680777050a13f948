"""The API's client, and whatever else these tests share with those of the API."""

from tests.customers.api.conftest import api, marketing

__all__ = ["api", "marketing"]
