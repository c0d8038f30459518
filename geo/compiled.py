"""
Functions compiled once and kept, or compiled anew where no folder may be written to keep them in.

numba keeps compiled code beside the source or in the user's cache folder, and gives up where it may write neither: an
installation that is read-only, and an account without a home.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba import njit

__all__ = ["compiled"]


def compiled(function: Callable[..., Any]) -> Any:  # noqa: ANN401 - as numba's own decorator
    """
    Compile a function for arrays, without holding the lock of Python.

    Parameters
    ----------
    function : callable
        Plain loops over numbers and arrays.

    Returns
    -------
    callable
        The same, compiled when it is first called; from the cache where there is one.
    """
    try:
        return njit(cache=True, nogil=True)(function)
    except RuntimeError:  # no cache can be located: some seconds more at each start, and the same results
        return njit(nogil=True)(function)
