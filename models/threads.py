"""Numerical libraries on one thread: the same bytes on every machine, and no waiting for threads on small matrices."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]

__all__ = ["one_thread"]


@cache
def _controller() -> ThreadpoolController:
    """The thread pools of the libraries that are loaded, looked for once."""
    return ThreadpoolController()


@contextmanager
def one_thread() -> Iterator[None]:
    """
    Hold numerical libraries to one thread while a model is fitted; a context, or a decorator of what fits.

    Yields
    ------
    None
        Sums are made in one order on every machine, and a fit of milliseconds does not wait for other threads.
    """
    with _controller().limit(limits=1):
        yield
