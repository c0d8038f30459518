import numpy as np
import pytest
import shapely
from scipy import sparse

from geo.errors import InputError, UsageError
from geo.hotspots.emerging import PATTERNS, classify_pattern, measure_emerging, measure_trend
from geo.hotspots.grid import build_grid
from geo.hotspots.local_statistics import measure_gi_star

# H hot, C cold, . neither; then the trend of the z-scores: + up, - down, 0 none (each significant or not).
GOLDEN = {
    ".........H": ("0", "new hot spot"),
    "......HHHH": ("0", "consecutive hot spot"),
    "HHHHHHHHHH": ("+", "intensifying hot spot"),
    ".HHHHHHHHH": ("0", "persistent hot spot"),
    "HHHH.HHHHH": ("-", "diminishing hot spot"),
    "H..HH...H.": ("0", "sporadic hot spot"),
    "CC..H..H.H": ("0", "oscillating hot spot"),
    "HHHHHHHHH.": ("0", "historical hot spot"),
    ".........C": ("0", "new cold spot"),
    "......CCCC": ("0", "consecutive cold spot"),
    "CCCCCCCCCC": ("-", "intensifying cold spot"),
    ".CCCCCCCCC": ("0", "persistent cold spot"),
    "CCCC.CCCCC": ("+", "diminishing cold spot"),
    "C..CC...C.": ("0", "sporadic cold spot"),
    "HH..C..C.C": ("0", "oscillating cold spot"),
    "CCCCCCCCC.": ("0", "historical cold spot"),
    "..........": ("+", "no pattern"),
}
# What published code gets wrong, and what lies on a border between classes.
BORDERS = {
    "CCCCCCCCCC": ("+", "diminishing cold spot"),
    "HHHHHHHHHC": ("0", "historical hot spot"),
    "H.......HH": ("0", "sporadic hot spot"),
    "C......HHH": ("0", "consecutive hot spot"),
    "H...C.....": ("0", "no pattern"),
    "HHHHHHHH..": ("0", "sporadic hot spot"),
    "........HH": ("+", "consecutive hot spot"),
}


def name(word, trend, **more):
    letters = np.array([list(word)])
    z = {"+": 3.0, "-": -3.0, "0": 1.0}[trend]
    p = 0.003 if trend != "0" else 0.3
    return classify_pattern(letters == "H", letters == "C", np.array([z]), np.array([p]), **more)[0]


@pytest.mark.parametrize(("word", "golden"), [*GOLDEN.items(), *BORDERS.items()])
def test_each_history_has_its_class(word, golden):
    assert name(word, golden[0]) == golden[1]


def test_all_seventeen_classes_are_golden():
    assert len(PATTERNS) == 17
    assert {pattern for _, pattern in GOLDEN.values()} == set(PATTERNS)


def test_hot_and_cold_mirror_each_other():
    for word, (trend, pattern) in GOLDEN.items():
        mirrored = word.translate(str.maketrans("HC", "CH"))
        swap = {"hot": "cold", "cold": "hot"}
        expected = " ".join(swap.get(part, part) for part in pattern.split())
        assert name(mirrored, trend.translate(str.maketrans("+-", "-+"))) == expected


def test_a_sporadic_spot_can_be_asked_to_be_hot_now():
    assert name("H..HH...H.", "0", is_sporadic_now=True) == "no pattern"
    assert name("H..HH...HH", "0", is_sporadic_now=True) == "sporadic hot spot"


def test_planted_histories_are_found():
    grid = build_grid(shapely.box(0, 0, 6000, 6000), cell_m=200)
    value = np.random.default_rng(0).poisson(1.0, (len(grid), 10)).astype(float)

    def near(row, column):
        return (abs(grid.row - row) <= 1) & (abs(grid.column - column) <= 1)

    value[near(5, 5)] += 8
    value[near(5, 20), -1] += 8
    value[near(20, 20), :7] += 8
    result = measure_emerging(value, grid.build_neighbours(), n_periods_back=0)
    at = {place: int(np.flatnonzero((grid.row == place[0]) & (grid.column == place[1]))[0]) for place in
          ((5, 5), (5, 20), (20, 20), (25, 5))}  # fmt: skip
    assert result["pattern"][at[5, 5]] in {"persistent hot spot", "intensifying hot spot", "diminishing hot spot"}
    assert result["pattern"][at[5, 20]] == "new hot spot"
    assert result["pattern"][at[20, 20]] == "sporadic hot spot"
    assert result["pattern"][at[25, 5]] == "no pattern"
    assert (result["pattern"] == "no pattern").mean() > 0.85


def test_earlier_periods_are_neighbours_if_asked():
    grid = build_grid(shapely.box(0, 0, 2000, 2000), cell_m=200)
    value = np.zeros((len(grid), 4))
    value[44, 2] = 9.0
    alone = measure_emerging(value, grid.build_neighbours(), n_periods_back=0)["last_z"]
    back = measure_emerging(value, grid.build_neighbours(), n_periods_back=1)["last_z"]
    assert back[44] > 0 > alone[44]


def test_the_cube_is_gi_star_over_its_own_matrix_of_neighbours():
    grid = build_grid(shapely.box(0, 0, 800, 600), cell_m=200)
    value = np.random.default_rng(2).poisson(2.0, (len(grid), 5)).astype(float)
    time = np.eye(5) + np.eye(5, k=-1) + np.eye(5, k=-2)
    space = grid.build_neighbours().toarray() + np.eye(len(grid))
    cube = sparse.csr_array(np.kron(space, time))
    expected = measure_gi_star(value.ravel(), cube)["z_score"].to_numpy().reshape(value.shape)
    measured = measure_emerging(value, grid.build_neighbours(), n_periods_back=2)
    assert measured["last_z"].to_numpy() == pytest.approx(expected[:, -1])
    assert measured["sen_slope"].to_numpy() == pytest.approx(measure_trend(expected)["sen_slope"].to_numpy())


def test_slopes_and_trends_of_plain_series():
    trend = measure_trend(np.array([[1.0, 2, 3, 4, 5, 6], [6.0, 5, 4, 3, 2, 1], [2.0] * 6]))
    assert trend["s_statistic"].tolist() == [15, -15, 0]
    assert trend["sen_slope"].tolist() == [1, -1, 0]
    assert trend["trend_z"][0] == -trend["trend_z"][1]
    assert trend["trend_z"][2] == 0
    # Hand: V = 6*5*17/18 = 28.33, Z = 14/5.32.
    assert trend["trend_z"][0] == pytest.approx(14 / np.sqrt(6 * 5 * 17 / 18))


def test_too_few_periods_are_refused():
    with pytest.raises(InputError, match="series: 1 periods, expected at least 2"):
        measure_trend(np.ones((3, 1)))
    with pytest.raises(UsageError, match="n_periods_back: it is 3 of 3 periods"):
        measure_emerging(
            np.ones((4, 3)), build_grid(shapely.box(0, 0, 2, 2), cell_m=1).build_neighbours(), n_periods_back=3
        )
    with pytest.raises(InputError, match=r"shapes are \(5, 3\) and \(4, 4\)"):
        measure_emerging(np.ones((5, 3)), build_grid(shapely.box(0, 0, 2, 2), cell_m=1).build_neighbours())
