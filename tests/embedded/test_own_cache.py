"""Workers of one test run share a Valkey, and no key in it."""

from __future__ import annotations

from retention_site.embedded.pytest_plugin import own_cache


def test_each_worker_has_a_cache_of_its_own() -> None:
    found = [own_cache("unix:///run/valkey.sock?db=1", f"gw{number}") for number in range(4)]
    assert found == [f"unix:///run/valkey.sock?db={number}" for number in (1, 2, 3, 4)]


def test_the_brokers_database_is_nobodys_and_a_brought_server_stays_as_it_was_given() -> None:
    assert not any(own_cache("unix:///v?db=1", f"gw{number}").endswith("?db=0") for number in range(60))
    assert own_cache("redis://cache.test:6379/1", "gw3") == "redis://cache.test:6379/1"
