"""scikit-learn's own checks of an estimator, all of them in one test."""

from unittest import SkipTest

from sklearn.base import BaseEstimator
from sklearn.utils.estimator_checks import estimator_checks_generator

# Arrays other than NumPy's: the project takes none, and the check skips unless all of SciPy is switched to them.
NOT_OURS = {"check_array_api_input"}
FEWEST = 40


def assert_passes_every_check(estimator: BaseEstimator) -> None:
    """Every check passes and none is skipped."""
    n_checked = 0
    for case, check in estimator_checks_generator(estimator):
        name = check.func.__name__
        if name in NOT_OURS:
            continue
        try:
            check(case)
        except SkipTest as skipped:
            msg = f"{name} was skipped: {skipped}"
            raise AssertionError(msg) from skipped
        except Exception as error:
            error.add_note(f"in {name} of scikit-learn, for {estimator!r}")
            raise
        n_checked += 1
    assert n_checked >= FEWEST
