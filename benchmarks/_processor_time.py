"""Processor time by kind of process, which says what a message costs also where the clock is another's: on a loaded machine.

Linux only (/proc); elsewhere, and where PostgreSQL runs on another machine, the figures are 0. No benchmark, hence the name.
"""

from __future__ import annotations

import os
import resource
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class ProcessorTime:
    """Seconds, in user and system mode, since each process began."""

    python: float
    postgres: float
    sink: float

    def since(self, earlier: ProcessorTime, messages: int) -> dict[str, int]:
        """Microseconds for each of `messages`."""
        spent = {name: value - getattr(earlier, name) for name, value in vars(self).items()}
        return {name: round(1e6 * seconds / messages) for name, seconds in spent.items()}


class ProcessorClock:
    """Of this process, of PostgreSQL with all its backends, and of the sink."""

    def __init__(self, sink: int) -> None:
        from django.db import connection

        connection.ensure_connection()
        backend = _read_stat(connection.connection.info.backend_pid)
        self.sink, self.postmaster = sink, int(backend[1]) if backend else 0

    def read(self) -> ProcessorTime:
        mine = resource.getrusage(resource.RUSAGE_SELF)
        stats = [_read_stat(int(path.name)) for path in _PROC.glob("[0-9]*")] if self.postmaster else []
        children = sum(_own_time(stat) for stat in stats if stat and int(stat[1]) == self.postmaster)
        return ProcessorTime(
            python=mine.ru_utime + mine.ru_stime,
            postgres=children + _with_ended_children(_read_stat(self.postmaster)),
            sink=_own_time(_read_stat(self.sink)),
        )


def _read_stat(pid: int) -> list[str]:
    """The fields of proc(5) after the name: state, parent, …; [] where there is no such process."""
    try:
        return (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _own_time(stat: list[str]) -> float:
    return sum(map(int, stat[11:13])) / _TICKS_PER_S


def _with_ended_children(stat: list[str]) -> float:
    return sum(map(int, stat[11:15])) / _TICKS_PER_S
