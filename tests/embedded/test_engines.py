"""PostgreSQL and Valkey as children: they start, hold data, come back, and leave nothing."""

from __future__ import annotations

import psycopg
import redis

from retention_site.embedded.throwaway import throwaway_engines


def test_throwaway_engines_answer_and_leave_nothing() -> None:
    with throwaway_engines() as engines:
        with psycopg.connect(engines.environment["DATABASE_URL"]) as connection:
            assert connection.execute("show fsync").fetchone() == ("off",)
            assert connection.execute("select lower('ÄÖ')").fetchone() == ("äö",)
        assert redis.from_url(engines.environment["REDIS_URL"]).ping()
        folder = engines.folder
    assert not folder.exists()
