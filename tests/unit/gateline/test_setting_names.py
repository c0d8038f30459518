"""What a reader asks for is named as the setting that gives it, and the setting gives it."""

import csv
import io

import geopandas as gpd
import pytest
import shapely

from gateline.pipeline.read import read_inputs
from gateline.pipeline.read_areas import read_force_areas, read_force_boundaries
from gateline.pipeline.read_networks import read_networks
from gateline.pipeline.read_victims import read_victims
from gateline.pipeline.setting_names import name_settings
from gateline.settings import InputSettings, read_settings
from gateline.settings_inputs import require_date_format
from geo.crs import to_metric_arrays
from geo.errors import CrsError, InputError, UsageError
from tests.regions import make_small

WEST, SOUTH = 440_000.0, 450_000.0


def put(root, **settings):
    """Settings of [inputs], whatever stood there."""
    path = root / "region.toml"
    lines = path.read_text(encoding="utf-8").splitlines()
    for key, value in settings.items():
        at = next(k for k, line in enumerate(lines) if line.removeprefix("# ").startswith(f"{key} = "))
        lines[at] = f"{key} = {value}"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def change(path, columns):
    """The columns of a CSV changed by a function of the row."""
    rows = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))
    for row in rows:
        for name, function in columns.items():
            row[name] = function(dict(row))
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    path.write_text(text.getvalue(), encoding="utf-8")


def day_first(name):
    """An ISO date as a British spreadsheet writes it; a month is its first day."""
    return lambda row: "/".join(reversed((f"{row[name]}-01"[:10]).split("-"))) if row[name] else ""


def move_to_grid(path, x, y):
    rows = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))
    given = [dict(row) for row in rows]
    east, north = to_metric_arrays([float(r[x]) for r in given], [float(r[y]) for r in given])
    at = iter([value for pair in zip(east, north, strict=True) for value in pair])
    change(path, {x: lambda _: f"{next(at):.1f}", y: lambda _: f"{next(at):.1f}"})


@pytest.fixture
def workspace(tmp_path):
    return make_small(tmp_path / "w")


def read(root):
    return read_inputs(root, read_settings(root / "region.toml"))


LOCATED = {"stations": ("long", "lat"), "places": ("lon", "lat"), "exporters": ("x", "y")}


def test_tables_of_grid_metres_and_british_dates_are_read_as_declared(workspace):
    plain = read(workspace)
    inputs = workspace / "inputs"
    for role, (x, y) in LOCATED.items():
        move_to_grid(inputs / f"{role}.csv", x, y)
    change(inputs / "cuckooing_FICTIONAL.csv", {"first_seen": day_first("first_seen")})
    change(inputs / "deal_lines.csv", {"first_seen": day_first("first_seen")})
    (inputs / "log.csv").write_text("station,worked_on,n_hours\nYRK,05/10/2024 06:30,2\nHGT,28/11/2024 17:00,3\n")
    for role in LOCATED:
        with pytest.raises(
            InputError, match=rf"Declare the crs as EPSG:27700\. .* In region\.toml that is inputs\.{role}_crs"
        ):
            read(workspace)
        put(workspace, **{f"{role}_crs": '"EPSG:27700"'})
    put(workspace, deployments='"inputs/log.csv"')
    for role, form in (("cuckooing", "%d/%m/%Y"), ("deal_lines", "%d/%m/%Y"), ("deployments", "%d/%m/%Y %H:%M")):
        with pytest.raises(InputError, match=rf'date_format: .* that is inputs\.{role}_date_format = "%d/%m/%Y"'):
            read(workspace)
        put(workspace, **{f"{role}_date_format": f'"{form}"'})
    with pytest.raises(InputError, match=r'timezone: .* that is inputs\.deployments_timezone = "Europe/London"\.'):
        read(workspace)
    put(workspace, deployments_timezone='"Europe/London"')
    again = read(workspace)
    assert sorted(again.deployments["worked_on"]) == ["2024-10-05", "2024-11-28"]
    assert again.deal_lines.equals(plain.deal_lines)
    assert again.cuckooing.months_for("area_counts").equals(plain.cuckooing.months_for("area_counts"))
    for table in ("stations", "places", "exporters"):
        assert getattr(again, table)["easting_m"].sub(getattr(plain, table)["easting_m"]).abs().max() < 0.1


def test_columns_of_other_names_are_read_as_mapped(workspace):
    plain = read(workspace)
    path = workspace / "inputs" / "places.csv"
    path.write_text(path.read_text(encoding="utf-8").replace("population", "residents", 1), encoding="utf-8")
    with pytest.raises(InputError, match=r"map it in the settings.* that is inputs\.places_columns\."):
        read(workspace)
    put(
        workspace,
        places_columns='{ place_id = "place_id", name = "name", x = "lon", y = "lat", population = "residents" }',
    )
    assert read(workspace).places.equals(plain.places)


def layers(path, *names, crs="EPSG:27700"):
    """A GeoPackage of several layers, the first of which is the one that is meant."""
    for k, name in enumerate(names):
        shape = shapely.box(WEST, SOUTH, WEST + 20_000 + k, SOUTH + 20_000)
        line = shapely.LineString([(WEST, SOUTH), (WEST + 9_000.0, SOUTH + 9_000.0)])
        table = gpd.GeoDataFrame(
            {"id": ["one"], "label": ["One"], "n": [90.0]}, geometry=[line if "track" in path.name else shape], crs=crs
        )
        table.to_file(path, layer=name, driver="GPKG", mode="a" if k else "w")
    return path


NAMED = {"boundary": "boundary", "land": "boundary", "areas": "areas", "rail_track": "rail_track"}
PROPERTIES = {
    "boundary_properties": {"id": "id", "name": "label"},
    "areas_properties": {"id": "id", "name": "label", "population": "n"},
}


def read_layer_of(role, path, named):
    if role == "areas":
        return read_force_areas(path, named)
    if role == "rail_track":
        return read_networks({"rail_track": path}, named, dated_on=None).readings[0]
    return read_force_boundaries({role: path}, named)


@pytest.mark.parametrize("role", NAMED)
def test_a_layer_and_its_crs_are_named_and_given_by_settings(tmp_path, role):
    path = layers(tmp_path / f"{role}.gpkg", "mine", "older")
    with pytest.raises(InputError, match=rf"Name one of them\. In region\.toml that is inputs\.{role}_layer\."):
        read_layer_of(role, path, InputSettings(**PROPERTIES))
    found = read_layer_of(role, path, InputSettings(**PROPERTIES, **{f"{role}_layer": "mine"}))
    assert len(found.table) == 1
    wrong = InputSettings(**PROPERTIES, **{f"{role}_layer": "mine", f"{role}_crs": "EPSG:4326"})
    with pytest.raises(CrsError, match=rf"Correct one of them\. In region\.toml that is inputs\.{role}_crs"):
        read_layer_of(role, path, wrong)


def test_a_victims_file_is_asked_for_and_never_quoted(tmp_path):
    path = tmp_path / "list.csv"
    for text, says in (
        ("459613,451771,2024-10-05\n459713,452871,2024-11-28\n", r"column 'x', 'y', 'first_seen' is missing, expected"),
        ("x,y,first_seen\n459613,451771,05/10/2024\n", r'inputs\.cuckooing_date_format = "%d/%m/%Y"\.$'),
        ("x,y,first_seen\n459613,451771,2024-10-05T17:45\n", r"inputs\.cuckooing_timezone = "),
        (
            "x,y,first_seen,12 Mobile Road\n459613,451771,2024-10-05,\n",
            r"seems to describe a person \(its name is withheld",
        ),
        (
            "x,y,first_seen,Rose Cottage,Rose Cottage\n459613,451771,2024-10-05,,\n",
            "are not there once each",
        ),
    ):
        path.write_text(text)
        with pytest.raises(Exception, match=says) as caught:
            read_victims(path, InputSettings())
        assert not any(word in str(caught.value) for word in ("4596", "4517", "05/10", "17:45", "Mobile", "Rose"))
        assert caught.value.__cause__ is None
    path.write_text("x,y,first_seen,Rose Cottage\n459613,451771,2024-10-05,\n")
    (account,) = read_victims(path, InputSettings()).accounts
    assert account.warnings == ("some columns are not used; their names are withheld.",)


def raise_within(role, error, **options):
    with name_settings(role, **options):
        raise error


HEADER = "x: column 'y' is missing, expected it in the header. Rename it or map it in the settings."
OLD = "osm: it is old, expected a newer one. Fetch one, or accept it in the settings."


@pytest.mark.parametrize(
    ("role", "error", "ends"),
    [
        ("stations", InputError("x: it is empty, expected rows. Export it."), "expected rows. Export it."),
        ("stations", InputError("x: code is 'A', expected a CRS code. Mend it."), "expected a CRS code. Mend it."),
        ("timetable", InputError(HEADER), "in the settings. Columns of timetable cannot be mapped."),
        ("stations", InputError(HEADER), "in the settings. In region.toml that is inputs.stations_columns."),
        ("osm", InputError(OLD), "in the settings. In region.toml that is inputs.accept_old_osm."),
        ("harm", InputError("harm basis: it is 'x', expected y. Declare it."), "that is inputs.harm_basis."),
        ("places", CrsError("crs: it is 'x', expected y. Declare it."), "that is inputs.places_crs."),
        ("places", UsageError("crs: x, expected y. Set inputs.places_crs."), "expected y. Set inputs.places_crs."),
    ],
)
def test_a_setting_is_named_where_there_is_one(role, error, ends):
    with pytest.raises(type(error)) as caught:
        raise_within(role, error)
    assert str(caught.value).endswith(ends)
    assert str(caught.value).startswith(str(error))


def test_an_option_stands_for_a_setting_where_a_command_has_it():
    options = {"date_format": "--date-format"}
    with pytest.raises(UsageError, match=r'Declare it\. Give it as --date-format "%d/%m/%Y"\.$'):
        raise_within("the log", UsageError("date_format: x, expected y. Declare it."), options=options)
    with pytest.raises(InputError, match=r"Columns of the log cannot be mapped\.$"):
        raise_within("the log", InputError(HEADER), options=options)


@pytest.mark.parametrize("text", ["%d/%m/%Y %H:%M %Z", "%d/%m/%Y %I:%M"])
def test_a_format_that_would_move_times_is_refused(text):
    with pytest.raises(ValueError, match="which shifts no time"):
        require_date_format(text)
