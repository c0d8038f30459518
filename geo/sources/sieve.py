"""
One fate for each row of a file: accepted, or rejected once, with its first reason.

Every reader of rows sifts them here, so row conservation holds by construction and the quarantine table is built in one
place.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.errors import InputError
from geo.sources.accounting import RowAccount, quarantine_rows

__all__ = ["REJECTED_COLUMNS", "Sieve"]

REJECTED_COLUMNS = ("source_row", "status", "reason", "field", "value")
_LONGEST_VALUE = 80
_ACCEPTED = -1
# A fault of fewer rows than these is left to the quarantine (ASSUMPTION).
_NOTED_SHARE = 0.05
_NOTED_ROWS = 3


class Sieve:
    """
    Decide the fate of each row of one file.

    Parameters
    ----------
    rows : pandas.DataFrame
        The readable rows as text, indexed by line number. Never modified.
    source_file : str
        File name.
    sha256 : str
        Hash of the file.
    unreadable : pandas.DataFrame or None
        Rows already rejected, with columns ``source_row, status, reason, field, value``.
    warnings : tuple of str
        What is already known to be poorer.
    private_fields : frozenset of str
        Fields whose values are never copied to the quarantine.

    Examples
    --------
    >>> rows = pd.DataFrame({"age": ["4", "x"]}, index=[2, 3])
    >>> sieve = Sieve(rows, source_file="a.csv", sha256="")
    >>> sieve.reject(rows["age"].eq("x").to_numpy(), "not_a_number", field="age")
    >>> int(sieve.kept.sum())
    1
    """

    def __init__(
        self,
        rows: pd.DataFrame,
        *,
        source_file: str,
        sha256: str,
        unreadable: pd.DataFrame | None = None,
        warnings: tuple[str, ...] = (),
        private_fields: frozenset[str] = frozenset(),
    ) -> None:
        self._rows = rows
        self._source_file = source_file
        self._sha256 = sha256
        self._unreadable = pd.DataFrame(columns=list(REJECTED_COLUMNS)) if unreadable is None else unreadable
        self._warnings = list(warnings)
        self._private = private_fields
        self._fate = np.full(len(rows), _ACCEPTED, dtype=np.int32)
        self._noted: set[str] = set()
        self._verdicts: list[tuple[str, str, str | None]] = []

    @property
    def kept(self) -> NDArray[np.bool_]:
        """Whether each row is still accepted."""
        return np.equal(self._fate, _ACCEPTED)

    @property
    def n_rows(self) -> int:
        """Readable and unreadable rows of the file."""
        return len(self._rows) + len(self._unreadable)

    def warn(self, sentence: str) -> None:
        """
        Note what is right but poorer.

        Parameters
        ----------
        sentence : str
            One sentence.
        """
        self._warnings.append(sentence)

    def reject(
        self,
        broken: NDArray[np.bool_],
        reason: str,
        *,
        field: str | None = None,
        status: str = "quarantined",
    ) -> None:
        """
        Reject rows that are still accepted; a row keeps its first reason.

        Parameters
        ----------
        broken : numpy.ndarray of shape (n_readable_rows,)
            Which rows are at fault.
        reason : str
            Code in snake case.
        field : str or None
            The field at fault.
        status : str
            ``quarantined``, ``duplicate`` or ``out_of_scope``.
        """
        self._fate[self.kept & broken] = len(self._verdicts)
        self._verdicts.append((status, reason, field))

    def reject_copies(self) -> None:
        """Reject rows that say again all that an earlier one says: of what has an id each stands once."""
        again = np.zeros(len(self._rows), dtype=bool)
        again[self.kept] = self._rows[self.kept].duplicated().to_numpy()
        self.reject(again, "same_row_again", status="duplicate")

    def n_rejected(self, reasons: tuple[str, ...]) -> Counter[str]:
        """
        Count the rows rejected so far for some reasons.

        Parameters
        ----------
        reasons : tuple of str
            Reason codes.

        Returns
        -------
        collections.Counter
            Rows by reason.
        """
        counts: Counter[str] = Counter()
        for verdict, (_, reason, _) in enumerate(self._verdicts):
            if reason in reasons:
                counts[reason] += int((self._fate == verdict).sum())
        return counts

    def require_majority(self, guesses: Mapping[str, str]) -> None:
        """
        Pass unless more than half of the rows share a fault that means the file is misread.

        A fault of more than 5 % of the rows, and no fewer than three, is noted in the account with its guess.

        Parameters
        ----------
        guesses : mapping of str to str
            What a reason says about the whole file, in words. The rows of all these reasons are counted together.

        Raises
        ------
        InputError
            If more than half of the readable rows were rejected for these reasons; the guess is named, and the first
            row with its value where that may be shown.
        """
        counts = self.n_rejected(tuple(guesses))
        if 2 * counts.total() <= len(self._rows):
            for reason, n in sorted(counts.items()):
                if n >= _NOTED_ROWS and n > _NOTED_SHARE * len(self._rows) and reason not in self._noted:
                    self._noted.add(reason)
                    self.warn(f"{n} of {len(self._rows)} rows are {reason!r}: {guesses[reason]}.")
            return
        reason, n = min(counts.items(), key=lambda item: (-item[1], item[0]))
        msg = (
            f"{self._source_file}: {n} of {len(self._rows)} rows are {reason!r}, expected at most half. "
            f"{guesses[reason]}. {self._first_of(reason)}"
        )
        raise InputError(msg)

    def require_each_majority(self, guesses: Mapping[str, str]) -> None:
        """
        Pass unless more than half of the rows share one of some faults, each counted by itself.

        Parameters
        ----------
        guesses : mapping of str to str
            As for `require_majority`.

        Raises
        ------
        InputError
            As for `require_majority`.
        """
        for reason, guess in guesses.items():
            self.require_majority({reason: guess})

    def _first_of(self, reason: str) -> str:
        """Where the first row of a reason stands, with its value where that is no private one."""
        for verdict, (_, given, field) in enumerate(self._verdicts):
            at = np.flatnonzero(self._fate == verdict)
            if given == reason and len(at):
                line = self._rows.index[at[0]]
                if field in self._rows.columns and field not in self._private:
                    value = str(self._rows[field].iloc[at[0]])[:_LONGEST_VALUE]
                    return f"The first is line {line}, where {field!r} is {value!r}."
                return f"The first is line {line}."
        return "None is left."

    def close(self) -> tuple[pd.DataFrame, RowAccount]:
        """
        Give the quarantine and the account of the file.

        Returns
        -------
        tuple of (pandas.DataFrame, RowAccount)
            Table `geo.tables.QUARANTINE`, and the account.
        """
        parts = [self._unreadable[list(REJECTED_COLUMNS)]] if len(self._unreadable) else []
        for verdict, (status, reason, field) in enumerate(self._verdicts):
            at = np.flatnonzero(self._fate == verdict)
            if len(at):
                parts.append(self._rejected(at, status, reason, field))
        rejected = pd.concat(parts) if parts else pd.DataFrame(columns=list(REJECTED_COLUMNS))
        counts = Counter(zip(rejected["status"], rejected["reason"], strict=True))
        account = RowAccount(
            source_file=self._source_file,
            sha256=self._sha256,
            n_read=self.n_rows,
            n_accepted=int(self.kept.sum()),
            n_by_reason=tuple(sorted((str(s), str(r), n) for (s, r), n in counts.items())),
            warnings=tuple(self._warnings),
        )
        return quarantine_rows(self._source_file, rejected), account

    def _rejected(self, at: NDArray[np.intp], status: str, reason: str, field: str | None) -> pd.DataFrame:
        values = None
        if field in self._rows.columns and field not in self._private:
            values = self._rows[field].iloc[at].astype("str").str.slice(0, _LONGEST_VALUE).to_numpy()
        return pd.DataFrame(
            {
                "source_row": self._rows.index[at].to_numpy(),
                "status": status,
                "reason": reason,
                "field": field,
                "value": values,
            }
        )
