"""The API's client, and whatever else these tests share with those of the API."""

from tests.customers.api.conftest import api

__all__ = ["api"]
