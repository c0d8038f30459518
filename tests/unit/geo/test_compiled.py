"""Loops are compiled where a cache can be kept and where none can."""

import pytest
from numba import njit
from numba.core import caching

from geo.compiled import compiled


def add(a, b):
    return a + b


def test_where_no_cache_can_be_kept_a_function_is_compiled_all_the_same(monkeypatch):
    """An installation that may not be written to, and an account without a home."""
    monkeypatch.setattr(caching.CacheImpl, "_locator_classes", [])
    with pytest.raises(RuntimeError, match="no locator available"):
        njit(cache=True)(add)
    assert compiled(add)(2, 3) == 5
