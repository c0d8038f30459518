import numpy as np
import pytest
import shapely

from geo.errors import UsageError
from geo.hotspots.grid import build_grid, build_grid_around, grid_reference


def test_cells_have_their_centre_in_the_area():
    triangle = shapely.Polygon([(0, 0), (400, 0), (0, 400)])
    grid = build_grid(triangle, cell_m=100)
    assert len(grid) == 6  # centres strictly under the hypotenuse; those on it are outside
    assert grid.centre_m.tolist()[0] == [50.0, 50.0]


def test_cells_are_national_grid_squares_wherever_the_area_starts():
    grid = build_grid(shapely.box(130, 270, 590, 480), cell_m=100)
    assert (grid.west_m, grid.south_m) == (100.0, 200.0)


def test_a_point_is_in_the_cell_north_and_east_of_an_edge_and_nowhere_outside():
    grid = build_grid(shapely.box(0, 0, 200, 200), cell_m=100)
    cells = grid.locate(np.array([100.0, 99.9, -1.0, 200.0]), np.array([0.0, 100.0, 0.0, 0.0]))
    assert cells.tolist() == [1, 2, 4, 4]


def test_a_hole_in_the_area_is_no_cell():
    area = shapely.box(0, 0, 300, 300) - shapely.box(100, 100, 200, 200)
    grid = build_grid(area, cell_m=100)
    assert len(grid) == 8
    assert grid.locate(np.array([150.0]), np.array([150.0])).tolist() == [8]


def test_sums_are_by_cell_and_leave_out_what_is_outside():
    grid = build_grid(shapely.box(0, 0, 200, 100), cell_m=100)
    total = grid.sum_weights(np.array([10.0, 20.0, 150.0, 900.0]), np.full(4, 50.0), np.array([1.0, 2.0, 4.0, 8.0]))
    assert total.tolist() == [3.0, 4.0]


def test_neighbours_are_queen_and_symmetric():
    weights = build_grid(shapely.box(0, 0, 300, 300), cell_m=100).build_neighbours().toarray()
    assert weights.sum(axis=1).tolist() == [3, 5, 3, 5, 8, 5, 3, 5, 3]
    assert (weights == weights.T).all()
    assert weights.diagonal().sum() == 0


def test_squares_are_where_the_cells_are():
    cells = build_grid(shapely.box(0, 0, 200, 100), cell_m=100).build_cells(np.array([1]))
    assert cells.geometry.iloc[0].bounds == (100.0, 0.0, 200.0, 100.0)
    assert cells.index.tolist() == ["100-0-100"]


def test_a_grid_around_points_holds_them_all():
    east, north = np.array([110.0, 305.0]), np.array([95.0, 420.0])
    grid = build_grid_around(east, north, cell_m=100)
    assert (grid.n_columns, grid.n_rows) == (3, 5)
    assert (grid.locate(east, north) < len(grid)).all()


def test_a_margin_is_added_on_every_side():
    grid = build_grid_around(np.array([150.0]), np.array([350.0]), cell_m=100, margin_m=200.0)
    assert (grid.west_m, grid.south_m, grid.n_columns, grid.n_rows) == (-100.0, 100.0, 5, 5)


@pytest.mark.parametrize(
    ("easting_m", "northing_m", "reference"),
    [
        (459_652, 451_975, "SE596519"),
        (530_000, 180_000, "TQ300800"),
        (216_600, 771_200, "NN166712"),
        (0, 0, "SV000000"),
    ],
)
def test_references_are_those_of_the_national_grid(easting_m, northing_m, reference):
    assert grid_reference(easting_m, northing_m) == reference


def test_a_cell_without_size_is_refused():
    with pytest.raises(UsageError, match=r"cell_m: it is 0.*positive length in metres"):
        build_grid(shapely.box(0, 0, 1, 1), cell_m=0)


def test_too_many_cells_are_refused():
    with pytest.raises(UsageError, match="expected at most 20,000,000"):
        build_grid(shapely.box(0, 0, 1e6, 1e6), cell_m=10)


def test_a_grid_around_nothing_is_refused():
    with pytest.raises(UsageError, match="there are 0, expected at least 1"):
        build_grid_around(np.zeros(0), np.zeros(0), cell_m=10)
