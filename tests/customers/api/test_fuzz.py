"""The whole API against its own description, in a small size; `./rekindle bench api_fuzz` is the large one."""

from __future__ import annotations

import pytest
from django.test import Client

from benchmarks.api_fuzz import fuzz, make_shop, without_limit


@pytest.mark.django_db(transaction=True)
def test_every_address_answers_as_it_is_described_and_none_breaks() -> None:
    key, rows = make_shop()
    with without_limit():
        found = fuzz(key, 330, rows=rows)
    assert found.server_errors == {}
    assert found.schema_breaks == {}
    assert found.cases > 200
    assert {200, 400, 404} <= set(found.codes)


@pytest.mark.django_db
def test_an_address_of_the_api_that_does_not_exist_is_told_in_json(client: Client) -> None:
    answer = client.get("/api/v1/nothing/")
    assert (answer.status_code, answer["Content-Type"]) == (404, "application/json")
    assert "text/html" in client.get("/nothing/")["Content-Type"]
