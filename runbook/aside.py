"""A look at the warehouse beside the notebooks, from the moment when nothing is left that would change it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

T = TypeVar("T")


class Aside(Generic[T]):
    """Begins to look when it is told to, at the latest when the answer is needed."""

    def __init__(self, look: Callable[[], T]) -> None:
        self._look = look
        self._found: Future[T] | None = None

    def begin(self) -> Future[T]:
        """Looks from now on, in a thread of its own; told again, it goes on."""
        if self._found is None:
            pool = ThreadPoolExecutor(1, "aside")
            self._found = pool.submit(self._look)
            pool.shutdown(wait=False)
        return self._found

    def answer(self) -> T:
        """What was found, or the error that it ended with."""
        return self.begin().result()
