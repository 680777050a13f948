"""Asks the servers that the user brings (DATABASE_URL, REDIS_URL) whether they answer, before anything relies on them."""

from __future__ import annotations

from .process import EngineError

OLDEST_POSTGRES = 15
PATIENCE_S = 10


def check_database(url: str) -> None:
    """Raises EngineError with one sentence where there is no PostgreSQL of a version that will do."""
    import psycopg  # late, in both: most people bring neither

    if not url.startswith(("postgresql://", "postgres://")):
        raise EngineError("DATABASE_URL must start with postgresql:// (PostgreSQL is the only database).")
    try:
        with psycopg.connect(url, connect_timeout=PATIENCE_S) as connection:
            version = connection.info.server_version
    except psycopg.Error as error:
        raise EngineError(f"The PostgreSQL of DATABASE_URL cannot be used: {_in_one_line(error)}") from None
    if version < OLDEST_POSTGRES * 10_000:
        raise EngineError(
            f"The PostgreSQL of DATABASE_URL is version {version // 10_000}; Rekindle needs {OLDEST_POSTGRES} or newer."
        )


def check_broker(url: str) -> None:
    """Raises EngineError with one sentence where no Redis or Valkey answers."""
    import redis

    try:
        with redis.Redis.from_url(url, socket_connect_timeout=PATIENCE_S, socket_timeout=PATIENCE_S) as connection:
            connection.ping()
    except (redis.RedisError, OSError) as error:
        raise EngineError(f"The Redis or Valkey of REDIS_URL cannot be used: {_in_one_line(error)}") from None
    except ValueError:
        raise EngineError(
            "REDIS_URL must look like redis://user:password@host:6379/1, rediss://… or unix://…"
        ) from None


def _in_one_line(error: Exception) -> str:
    return " ".join(str(error).split())
