"""How much of the machine's memory the embedded PostgreSQL keeps pages in."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from retention_site.embedded.memory import MB, count_memory_mb
from retention_site.embedded.postgres import choose_buffers
from retention_site.embedded.throwaway import throwaway_engines


def test_a_containers_limit_is_what_there_is(tmp_path: Path) -> None:
    limit, unlimited, older = tmp_path / "memory.max", tmp_path / "none", tmp_path / "older"
    limit.write_text(f"{512 * MB}\n")
    unlimited.write_text("max\n")
    older.write_text("9223372036854771712\n")
    whole = count_memory_mb(())
    assert count_memory_mb((limit,)) == 512
    assert count_memory_mb((unlimited, older, tmp_path / "absent")) == whole > 512


@pytest.mark.parametrize(
    ("memory_mb", "buffers"), [(0, "256MB"), (2_048, "256MB"), (16_384, "2048MB"), (262_144, "4096MB")]
)
def test_an_eighth_is_for_pages_within_limits(memory_mb: int, buffers: str) -> None:
    assert choose_buffers(memory_mb) == buffers


def test_a_lasting_cluster_uses_what_the_machine_has() -> None:
    with throwaway_engines(durable=True) as engines, psycopg.connect(engines.postgres.url) as connection:
        (told,) = (
            connection.execute(
                "SELECT setting::int * 8 / 1024 FROM pg_settings WHERE name = 'shared_buffers'"
            ).fetchone()
            or ()
        )
    assert f"{told}MB" == choose_buffers(count_memory_mb())
