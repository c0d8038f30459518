"""
Planar densities: kernel density, its risk-adjusted (dual) form, and the bandwidth by likelihood cross-validation.

In: arrays of distinct points with weights, and a `Grid`. Out: offences a square kilometre in each cell. Cell counts
are convolved with the kernel integrated over cells by FFT, so the cost does not depend on the number of points, and
the error against the exact sum is that of moving a point to the centre of its cell.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.signal import fftconvolve
from scipy.spatial import cKDTree

from geo.errors import UsageError
from geo.hotspots.grid import Grid

__all__ = ["KERNELS", "choose_bandwidth", "measure_density", "measure_relative_density", "smooth_cells"]

FloatArray = NDArray[np.float64]

KERNELS = ("quartic", "gaussian")
# A Gaussian beyond this many bandwidths holds 0.03 % of its mass in two dimensions.
_GAUSSIAN_REACH = 4.0


def smooth_cells(value: FloatArray, grid: Grid, *, bandwidth_m: float, kernel: str = "quartic") -> FloatArray:
    """
    Spread the value of each cell over its surroundings.

    Parameters
    ----------
    value : numpy.ndarray of shape (n_cells,)
        Weighted counts.
    grid : Grid
        The cells.
    bandwidth_m : float
        Radius of the quartic kernel, or standard deviation of the Gaussian, metres.
    kernel : {"quartic", "gaussian"}, default "quartic"
        Shape of the spread.

    Returns
    -------
    numpy.ndarray of shape (n_cells,)
        Values that sum to the sum of `value`, less what was spread outside the study area.

    Raises
    ------
    UsageError
        If the bandwidth is not positive or the kernel is unknown.
    """
    mass = _kernel_mass(bandwidth_m / grid.cell_m, kernel, bandwidth_m)
    block = np.zeros(grid.n_rows * grid.n_columns)
    block[grid.position] = value
    spread = fftconvolve(block.reshape(grid.n_rows, grid.n_columns), mass, mode="same").ravel()[grid.position]
    # The transform leaves rounding of either sign where the answer is zero.
    spread[spread < 1e-12 * max(float(np.abs(value).max(initial=0.0)), 1e-300)] = 0.0
    smoothed: FloatArray = spread
    return smoothed


def measure_density(
    easting_m: FloatArray,
    northing_m: FloatArray,
    weight: FloatArray,
    grid: Grid,
    *,
    bandwidth_m: float,
    kernel: str = "quartic",
    is_edge_corrected: bool = False,
) -> FloatArray:
    r"""
    Measure kernel density in every cell.

    :math:`f(s) = \frac{1}{h^2} \sum_i w_i K(\lVert s - s_i \rVert / h)`, with :math:`K(u) = \frac{3}{\pi}(1-u^2)^2` for
    the quartic in the plane.

    Parameters
    ----------
    easting_m, northing_m, weight : numpy.ndarray of shape (n,)
        Points in EPSG:27700 metres and their weights; those outside the cells are left out.
    grid : Grid
        The cells.
    bandwidth_m : float
        Radius (quartic) or standard deviation (Gaussian), metres.
    kernel : {"quartic", "gaussian"}, default "quartic"
        Shape of the kernel.
    is_edge_corrected : bool, default False
        Whether to divide by the kernel's mass inside the study area, so that a uniform pattern has a uniform density.

    Returns
    -------
    numpy.ndarray of shape (n_cells,)
        Weighted offences a square kilometre.

    Raises
    ------
    UsageError
        If the bandwidth is not positive or the kernel is unknown.

    References
    ----------
    .. [1] Silverman, B. W. (1986). Density Estimation for Statistics and Data Analysis. Chapman and Hall.
    """
    value = grid.sum_weights(easting_m, northing_m, weight)
    density = smooth_cells(value, grid, bandwidth_m=bandwidth_m, kernel=kernel) / grid.area_km2
    if is_edge_corrected:
        inside = smooth_cells(np.ones(len(grid)), grid, bandwidth_m=bandwidth_m, kernel=kernel)
        density = density / inside
    return density


def measure_relative_density(
    value: FloatArray,
    at_risk: FloatArray,
    grid: Grid,
    *,
    bandwidth_m: float,
    kernel: str = "quartic",
    least_at_risk: float = 1.0,
) -> FloatArray:
    """
    Measure the risk-adjusted (dual) density: smoothed offences over smoothed people, relative to the whole area.

    Parameters
    ----------
    value : numpy.ndarray of shape (n_cells,)
        Weighted offences in each cell.
    at_risk : numpy.ndarray of shape (n_cells,)
        Population, dwellings, or all offences, in each cell.
    grid : Grid
        The cells.
    bandwidth_m : float
        Radius or standard deviation, metres; the same for both surfaces, so that their edges cancel.
    kernel : {"quartic", "gaussian"}, default "quartic"
        Shape of the kernel.
    least_at_risk : float, default 1
        Cells with less smoothed population than this have no ratio.

    Returns
    -------
    numpy.ndarray of shape (n_cells,)
        1 where the risk is that of the whole area; NaN where next to nobody lives.

    Raises
    ------
    UsageError
        If the bandwidth is not positive, the kernel is unknown, or there is nobody at risk.
    """
    if not at_risk.sum() > 0:
        msg = f"at_risk: it sums to {at_risk.sum()!r}, expected a positive number. Give the population of the cells."
        raise UsageError(msg)
    above = smooth_cells(value, grid, bandwidth_m=bandwidth_m, kernel=kernel)
    below = smooth_cells(at_risk, grid, bandwidth_m=bandwidth_m, kernel=kernel)
    overall = value.sum() / at_risk.sum()
    ratio = np.full(len(grid), np.nan)
    np.divide(above, below * (overall if overall > 0 else 1.0), out=ratio, where=below >= least_at_risk)
    return ratio


def choose_bandwidth(
    easting_m: FloatArray,
    northing_m: FloatArray,
    weight: FloatArray,
    *,
    candidates_m: Sequence[float],
    snap_m: float,
    most_points: int = 5_000,
) -> tuple[float, dict[float, float]]:
    r"""
    Choose a bandwidth by leave-one-out likelihood.

    :math:`CV(h) = \sum_i w_i \log f_{-i}(s_i; h)` with the quartic kernel, over distinct points.

    Parameters
    ----------
    easting_m, northing_m, weight : numpy.ndarray of shape (n,)
        Distinct points in metres and their weights.
    candidates_m : sequence of float
        Bandwidths to try, metres.
    snap_m : float
        Precision of the positions, metres. Offences at one snapped point are not at one place: without a floor, the
        likelihood grows without bound as the bandwidth shrinks. A distance less than this counts as this.
    most_points : int, default 5000
        The likelihood is taken at no more than this many points, evenly spaced in the order of their eastings; all
        points are in the density.

    Returns
    -------
    best_m : float
        The candidate of the highest likelihood, the smallest if several.
    score : dict of float to float
        Likelihood of each candidate, natural logarithm, comparable between candidates.

    Raises
    ------
    UsageError
        If a candidate is not above the precision, or there are none.

    Notes
    -----
    A point that no other reaches would score minus infinity. One offence is therefore spread over the bounding box of
    all, so that an outlier does not choose the bandwidth.
    """
    if not candidates_m or min(candidates_m) <= snap_m:
        msg = f"candidates_m: they are {list(candidates_m)!r}, expected some, all above snap_m {snap_m!r}. Widen them."
        raise UsageError(msg)
    order = np.lexsort((northing_m, easting_m))
    at = np.column_stack([easting_m, northing_m])[order]
    w = np.asarray(weight, dtype=float)[order]
    chosen = np.unique(np.linspace(0, len(w) - 1, min(most_points, len(w))).round().astype(np.int64))
    box_m2 = max(float(np.prod(np.ptp(at, axis=0))), snap_m**2)
    score = dict.fromkeys(sorted(map(float, candidates_m)), 0.0)
    everywhere = cKDTree(at)
    # Blocks bound the memory that pairs of points take.
    for block in np.array_split(chosen, max(1, len(chosen) // 500)):
        pairs = cKDTree(at[block]).sparse_distance_matrix(everywhere, max(candidates_m), output_type="ndarray")
        apart = block[pairs["i"]] != pairs["j"]
        here, weight_there = pairs["i"][apart], w[pairs["j"][apart]]
        distance_m = np.maximum(pairs["v"][apart], snap_m)
        for h in score:
            share = 3 / np.pi / h**2 * np.maximum(1 - (distance_m / h) ** 2, 0.0) ** 2
            density = np.bincount(here, weights=share * weight_there, minlength=len(block))
            # Of the offences at the point itself one is left out and the others lie at the precision.
            at_point = np.maximum(w[block] - 1.0, 0.0) * 3 / np.pi / h**2 * (1 - (snap_m / h) ** 2) ** 2
            score[h] += float((w[block] * np.log((density + at_point + 1.0 / box_m2) / w.sum())).sum())
    best_m = max(score, key=lambda h: (score[h], -h))
    return best_m, score


def _kernel_mass(bandwidth_cells: float, kernel: str, bandwidth_m: float) -> FloatArray:
    """Kernel over cell offsets, summing to one."""
    if not bandwidth_m > 0:
        msg = f"bandwidth_m: it is {bandwidth_m!r}, expected a positive length in metres. Give the kernel's width."
        raise UsageError(msg)
    if kernel not in KERNELS:
        msg = f"kernel: it is {kernel!r}, expected one of {', '.join(KERNELS)}. Choose one of them."
        raise UsageError(msg)
    reach = int(np.ceil(bandwidth_cells * (_GAUSSIAN_REACH if kernel == "gaussian" else 1.0)))
    # Five by five places in each cell: a kernel of about a cell's width is else badly integrated.
    within = (np.arange(5) - 2.0) / 5.0
    axis = (np.arange(-reach - 1, reach + 2)[:, None] + within[None, :]).ravel() / bandwidth_cells
    squared = axis[:, None] ** 2 + axis[None, :] ** 2
    fine = np.exp(-squared / 2) if kernel == "gaussian" else np.maximum(1 - squared, 0.0) ** 2
    n = len(axis) // 5
    mass: FloatArray = fine.reshape(n, 5, n, 5).sum(axis=(1, 3))
    mass /= mass.sum()
    return mass
