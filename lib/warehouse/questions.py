"""Questions to one look at a DuckDB file: each is asked once, and answered while whoever asked goes on.

One query on tables of this size keeps hardly more than one core busy, and Python between two queries keeps DuckDB idle:
with a cursor for each core, what a gate asks at once is answered side by side.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from threading import local

import duckdb

from lib.errors import RunbookError
from lib.warehouse.interface import Row

TICK_SECONDS = 0.02
MOST = 8  # queries at once: Python, which reads their rows, has one core
Look = Callable[[duckdb.DuckDBPyConnection], list[Row]]
Answer = Callable[[], list[Row]]


@dataclass
class Questions:
    """What was asked of a connection. With one core it is looked up when it is needed, in the order of the needs."""

    connection: duckdb.DuckDBPyConnection
    home: str
    cores: int = 1
    _known: dict[str, Answer] = field(default_factory=dict)
    _begun: list[Future[list[Row]]] = field(default_factory=list)
    _cursors: list[duckdb.DuckDBPyConnection] = field(default_factory=list)
    _mine: local = field(default_factory=local)
    _pool: ThreadPoolExecutor | None = None

    def ask(self, key: str, look: Look) -> Answer:
        """The rows that *look* finds, once they are needed; *key* is all that they hang on."""
        if key not in self._known:
            self._known[key] = self._begin(look) if self.cores > 1 else cache(lambda: look(self.connection))
        return self._known[key]

    def settle(self) -> None:
        """Looks up all that was asked, and forgets it: a name is about to mean something else."""
        for answer in self._known.values():
            with suppress(RunbookError):  # whoever needs the answer is told
                answer()
        self._known.clear()

    def close(self) -> None:
        """Nobody needs what is still being looked up, nor any longer what was found."""
        if self._pool is not None:
            self._end(self._pool)
        self._known.clear()
        self._begun.clear()

    def _end(self, pool: ThreadPoolExecutor) -> None:
        pool.shutdown(wait=False, cancel_futures=True)
        while running := [future for future in self._begun if not future.done()]:
            for cursor in self._cursors:  # again and again: a query that is about to begin hears no interrupt
                cursor.interrupt()
            wait(running, timeout=TICK_SECONDS)
        pool.shutdown()
        for cursor in self._cursors:
            cursor.close()
        self._cursors.clear()
        self._pool = None  # it knows this object, which would wait with all its rows for somebody to look for garbage

    def _begin(self, look: Look) -> Answer:
        if self._pool is None:  # a connection that is at work refuses to make a cursor: all are made now
            side_by_side = min(self.cores, MOST)
            self._cursors = [set_up(self.connection.cursor(), self.home) for _ in range(side_by_side)]
            self._pool = ThreadPoolExecutor(side_by_side, "looking", self._take_cursor, (iter(self._cursors),))
        future = self._pool.submit(lambda: look(self._mine.cursor))
        self._begun.append(future)
        return future.result

    def _take_cursor(self, free: Iterator[duckdb.DuckDBPyConnection]) -> None:
        self._mine.cursor = next(free)


def set_up(connection: duckdb.DuckDBPyConnection, home: str) -> duckdb.DuckDBPyConnection:
    """The connection, which finds what the session keeps in *home* by its bare name, and draws no bar."""
    connection.execute(f"SET search_path = 'main,{home}.main'")
    draw_no_bar(connection)
    return connection


def draw_no_bar(connection: duckdb.DuckDBPyConnection) -> None:
    """Says that a slow query is not to be drawn; in a kernel the setting itself asks for ipywidgets."""
    if "ipykernel" not in sys.modules:
        connection.execute("SET enable_progress_bar = false")
