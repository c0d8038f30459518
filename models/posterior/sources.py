"""
Sources of evidence: what each would show if the lines were as supposed.

A source predicts counts from the intensity of lines, by pair, by origin, by town or through stations, with parameters
of its own: a recording share, a rate, an exponent, a dispersion. Each is optional, each speaks of lines through one
number a row, so that sources can be added or left out freely and none is counted twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from models.posterior.counts import (
    Likelihood,
    judge_band,
    judge_negative_binomial,
    judge_poisson,
    log_coefficient,
)
from models.posterior.priors import Normal

__all__ = ["Addresses", "Finds", "Lines", "Source", "StationOffences", "TownCounts"]

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class Prediction:
    """
    What a source expects.

    Attributes
    ----------
    log_mean : numpy.ndarray of shape (..., n)
        Logarithm of the expected counts.
    by_lines : numpy.ndarray of shape (..., n)
        Its derivative in the logarithm of the lines.
    by_own : numpy.ndarray of shape (..., n, n_own)
        Its derivative in the source's own parameters.
    """

    log_mean: FloatArray
    by_lines: FloatArray
    by_own: FloatArray


@dataclass(frozen=True, kw_only=True)
class Source:
    """
    One source of evidence.

    Attributes
    ----------
    name : str
        Of the source; its block of parameters is called so.
    group : str
        Key of its reason, as in the column ``reason_<group>``: sources of one group stand or fall together.
    grain : str
        ``pair``, ``origin``, ``town``, ``station``, or ``platform``: what a row counts (`Intensity.sums`).
    rows : numpy.ndarray of shape (n,)
        Position of each count among the pairs, origins, towns or stations.
    low, high : numpy.ndarray of shape (n,)
        The counts; ends of a band where only that is known.
    own : tuple of Normal
        Priors of the source's own parameters; the last is the logarithm of the size where `has_size`.
    has_size : bool
        Whether counts are negative binomial with a size of their own; else the size is `fixed_log_size`.
    fixed_log_size : float
        Infinite for Poisson.
    """

    name: str
    group: str
    grain: str
    rows: IntArray
    low: FloatArray
    high: FloatArray
    own: tuple[Normal, ...]
    has_size: bool = True
    fixed_log_size: float = np.inf

    def predict(self, log_lines: FloatArray, own: FloatArray) -> Prediction:
        """
        Predict the counts.

        Parameters
        ----------
        log_lines : numpy.ndarray of shape (..., n)
            Logarithm of the lines (of the visits of their trips to the platform, for a station) behind each count.
        own : numpy.ndarray of shape (..., n_own)
            The source's own parameters; axes before the last as of `log_lines`.

        Returns
        -------
        Prediction
            With its derivatives.
        """
        raise NotImplementedError

    def judge(self, log_mean: FloatArray, own: FloatArray) -> Likelihood:
        """
        Judge the counts against their prediction.

        Parameters
        ----------
        log_mean : numpy.ndarray of shape (..., n)
            From `predict`.
        own : numpy.ndarray of shape (..., n_own)
            The source's own parameters.

        Returns
        -------
        Likelihood
            Row by row.
        """
        log_size = own[..., -1:] if self.has_size else self.fixed_log_size
        if (self.high > self.low).any():
            return judge_band(self.low, self.high, log_mean, log_size)
        if self.has_size:
            return judge_negative_binomial(self.low, log_mean, log_size)
        if np.isinf(self.fixed_log_size):
            return judge_poisson(self.low, log_mean, constant=self._constant)
        return judge_negative_binomial(self.low, log_mean, self.fixed_log_size, constant=self._constant)

    @cached_property
    def _constant(self) -> FloatArray:
        """What hangs on no parameter; some 10,000 pairs would spend most of their time on it."""
        return log_coefficient(self.low, self.fixed_log_size)


@dataclass(frozen=True, kw_only=True)
class Lines(Source):
    """Known lines, by pair, origin or town: own is the logarithm of the share that is recorded so."""

    def predict(self, log_lines: FloatArray, own: FloatArray) -> Prediction:  # noqa: D102 - as Source
        one = np.broadcast_to(1.0, log_lines.shape)
        return Prediction(own[..., :1] + log_lines, one, one[..., None])


@dataclass(frozen=True, kw_only=True)
class Addresses(Source):
    """
    Cuckooed addresses by town, in bands: own is log rate at `log_reference` lines, log size.

    Attributes
    ----------
    exponent : float
        Addresses go as this power of lines.
    log_reference : float
        Logarithm of lines at which the rate is meant.
    """

    exponent: float
    log_reference: float

    def predict(self, log_lines: FloatArray, own: FloatArray) -> Prediction:  # noqa: D102 - as Source
        about = log_lines - self.log_reference
        one, none = np.ones_like(about), np.zeros_like(about)
        log_mean = own[..., :1] + self.exponent * about
        return Prediction(log_mean, self.exponent * one, np.stack([one, none], axis=-1))


@dataclass(frozen=True, kw_only=True)
class TownCounts(Source):
    """
    Counts in towns that lines raise above what residents explain.

    Own is log rate, exponent of residents, the logarithm of each recorder's rate over that, log size.

    The exponent of lines is no parameter of the mode: lines and exponent trade against each other, and the mode would
    explain all scatter by tiny lines raised to a huge power. It is integrated over a few values (`Priors`).

    Attributes
    ----------
    exponent : float
        Counts a head go as this power of lines a head.
    log_residents : numpy.ndarray of shape (n,)
        Logarithm of residents.
    log_reference : float
        Logarithm of lines a resident in the force as a whole.
    recorder : numpy.ndarray of shape (n,) or None
        Which of several forces counted each; None where one counted all.
    """

    exponent: float
    log_residents: FloatArray
    log_reference: float = 0.0
    recorder: IntArray | None = None

    def predict(self, log_lines: FloatArray, own: FloatArray) -> Prediction:  # noqa: D102 - as Source
        people = self.log_residents
        about = people - people.mean() if len(people) else people
        a_head = log_lines - people - self.log_reference
        one, none = np.ones_like(a_head), np.zeros_like(a_head)
        log_mean = own[..., :1] + people + (own[..., 1:2] - 1.0) * about + self.exponent * a_head
        by_own = np.stack([one, about * one], axis=-1)
        if self.recorder is not None:
            log_mean = log_mean + own[..., 2 + self.recorder]
            counted = np.eye(own.shape[-1] - 3)[self.recorder]
            by_own = np.concatenate([by_own, one[..., None] * counted], axis=-1)
        return Prediction(log_mean, self.exponent * one, np.concatenate([by_own, none[..., None]], axis=-1))


@dataclass(frozen=True, kw_only=True)
class StationOffences(Source):
    """
    Offences at stations, from passengers and from couriers: own is log rate, footfall exponent, log share, log size.

    Attributes
    ----------
    log_footfall : numpy.ndarray of shape (n,)
        Logarithm of passengers over their mean at these stations.
    log_reference : float
        Logarithm of the platform visits at which the couriers' share is meant, one trip a line: there couriers bring
        ``exp(log share)`` times the offences that passengers bring at a station of mean footfall. Set to what a mean
        station of these would see were the prior's lines spread evenly over the pairs.
    """

    log_footfall: FloatArray
    log_reference: float = 0.0

    def predict(self, log_lines: FloatArray, own: FloatArray) -> Prediction:  # noqa: D102 - as Source
        passengers = own[..., :1] + own[..., 1:2] * self.log_footfall
        couriers = own[..., :1] + own[..., 2:3] + log_lines - self.log_reference
        log_mean = np.logaddexp(passengers, couriers)
        share = np.exp(couriers - log_mean)
        one = np.ones_like(share)
        by_own = np.stack([one, (1 - share) * self.log_footfall, share, np.zeros_like(share)], axis=-1)
        return Prediction(log_mean, share, by_own)


@dataclass(frozen=True, kw_only=True)
class Finds(Source):
    """
    Finds of deployments with their hours, nil returns among them: own is log (chance of a find times trips a line).

    Visits are counted at the share by rail that was believed before evidence. A nil return says that few couriers came
    or that they were not seen; read as news of the rail share, one at York would lower every station of the force.

    Attributes
    ----------
    log_hours_share : numpy.ndarray of shape (n,)
        Logarithm of officer-hours over the hours of a month in which trains run.
    """

    log_hours_share: FloatArray

    def predict(self, log_lines: FloatArray, own: FloatArray) -> Prediction:  # noqa: D102 - as Source
        one = np.broadcast_to(1.0, log_lines.shape)
        return Prediction(own[..., :1] + self.log_hours_share + log_lines, one, one[..., None])
