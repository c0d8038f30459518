"""The lists behind the products, and the CSV that Excel opens."""

import csv
import dataclasses
import io

import numpy as np
import openpyxl
import pandas as pd
import pytest

from gateline.products.csv_lists import write_csv, write_station_csv, write_town_csv
from gateline.products.lists import station_list, top_parts, town_list, upstream_list
from gateline.products.map_data import map_payload
from gateline.products.reasons import reason_columns
from gateline.products.spreadsheet import write_list_xlsx
from geo.errors import CrsError, IntegrityError, TableError
from tests.browser.fictional_run import build_run, marks


@pytest.fixture(scope="module")
def run():
    return build_run()


def read_rows(path):
    data = path.read_bytes()
    assert data.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))


def test_stations_are_in_rank_order_and_printed_reasons_sum_to_the_printed_score(run, tmp_path):
    write_station_csv(tmp_path / "stations.csv", run)
    header, *rows = read_rows(tmp_path / "stations.csv")
    table = pd.DataFrame(rows, columns=header)
    assert table["rank"].astype(int).is_monotonic_increasing
    reasons = table[reason_columns(table)].astype(float).sum(axis=1)
    assert (reasons - table["score"].astype(float)).abs().max() < 1e-9
    assert set(table["is_fictional"]) == {"true"}
    assert set(table["run_id"]) == {run.marks.run_id}


def test_station_columns_hold_what_the_design_promises(run):
    promised = (
        "name tier score rank rank_low rank_high p_top_10 courier_flow courier_flow_per_100k_passengers top_origin "
        "top_destination hotspot_harm_within_15_min_walk enforcement_led"
    )
    table = station_list(run)
    assert set(promised.split()) <= set(table.columns)
    assert table.index.name == "station_id"
    assert {"observed_lines", "latent_exposure"} <= set(town_list(run).columns)


def test_a_rank_is_issued_only_with_evidence_and_a_narrow_interval(run):
    wide = run.station_scores.index[3]
    scores = run.station_scores.assign(is_rank_issued=run.station_scores.index != wide)
    table = station_list(dataclasses.replace(run, station_scores=scores))
    expected = (table["tier"] != "insufficient data") & (table.index != wide)
    assert table["is_rank_issued"].tolist() == expected.tolist()


def test_values_stay_with_their_station(run):
    table = station_list(run)
    for station in table.index[:5]:
        assert table.loc[station, "courier_flow"] == pytest.approx(
            run.station_exposure.loc[station, "courier_trips_per_month"], rel=0.05
        )
        assert (
            table.loc[station, "entries_exits_per_year"] == run.station_usage.loc[station, "n_entries_exits_per_year"]
        )
        assert table.loc[station, "name"] == run.stations.loc[station, "name"]


def test_top_origins_are_the_hand_summed_ones():
    run = build_run(9)
    flows = run.station_flows
    station = flows["station_id"].iloc[0]
    here = flows[flows["station_id"] == station]
    met = here["boarding_trips_per_month"] + here["interchange_trips_per_month"] + here["alighting_trips_per_month"]
    expected = met.groupby(here["origin_id"]).sum().sort_values(ascending=False)
    found = top_parts(run, "origin_id")[station]
    assert found[0][0] == expected.index[0]
    assert found[0][1] == pytest.approx(expected.iloc[0])
    assert [trips for _, trips in found] == sorted((trips for _, trips in found), reverse=True)


def test_calling_trips_are_not_met_on_the_platform():
    run = build_run(9)
    flows = run.station_flows.assign(calling_trips_per_month=1e6)
    louder = dataclasses.replace(run, station_flows=flows)
    assert top_parts(louder, "origin_id") == top_parts(run, "origin_id")


def test_upstream_names_the_hub_where_all_of_an_area_boards(run):
    upstream = upstream_list(run)
    for exporter in run.exporters.itertuples():
        first = upstream[upstream["exporting_area"] == exporter.name].iloc[0]
        assert first["station_id"] == exporter.hub_station_id
        assert first["share_of_area"] == pytest.approx(1.0)


def test_row_order_of_inputs_changes_no_byte(run, tmp_path):
    shuffled = {
        field.name: getattr(run, field.name).sample(frac=1, random_state=3)
        for field in dataclasses.fields(run)
        if isinstance(getattr(run, field.name), pd.DataFrame | pd.Series)
    }
    other = dataclasses.replace(run, **shuffled)
    for write in (write_station_csv, write_town_csv):
        write(tmp_path / "a.csv", run)
        write(tmp_path / "b.csv", other)
        assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()


def test_text_cannot_start_a_formula_but_numbers_stay_numbers(tmp_path):
    table = pd.DataFrame({"=name": ["=cmd|' /C calc'!A0", "-1.5", "\t=1+1", "\uff1d1", "York"], "score": [-1.5] * 5})
    write_csv(tmp_path / "t.csv", table, marks())
    header, *rows = read_rows(tmp_path / "t.csv")
    assert header[0] == "'=name"
    assert [row[0][0] for row in rows] == ["'", "'", "'", "'", "Y"]
    assert {row[1] for row in rows} == {"-1.5"}


def test_lines_end_as_excel_expects(run, tmp_path):
    write_town_csv(tmp_path / "t.csv", run)
    data = (tmp_path / "t.csv").read_bytes()
    assert data.count(b"\r\n") == data.count(b"\n") == len(run.place_scores) + 1


def test_reasons_that_do_not_sum_are_refused(run):
    scores = run.station_scores.assign(reason_extra=1.0)
    with pytest.raises(IntegrityError, match=r"reasons of '.*' sum to .* expected the same"):
        station_list(dataclasses.replace(run, station_scores=scores))


def test_a_score_without_its_station_is_refused(run):
    with pytest.raises(TableError, match=r"station_scores: '.*' are not in stations, expected every one there"):
        dataclasses.replace(run, stations=run.stations.iloc[1:])


def test_a_basemap_in_degrees_is_refused(run):
    with pytest.raises(CrsError, match="coast: CRS is EPSG:4326"):
        dataclasses.replace(run, coast=run.coast.to_crs("EPSG:4326"))


@pytest.fixture(scope="module")
def national():
    """A list of 1,200 stations whose shares of 100 trips run from 3 to a thousandth."""
    made = build_run(1_200, n_hotspots=5, n_offences=50)
    scores = made.station_scores.sort_values("rank", kind="stable")
    share = pd.Series(np.geomspace(3.0, 0.001, len(scores)), index=scores.index)
    reasons = reason_columns(scores)
    parts = scores[reasons].mul(share / scores["score"].where(scores["score"] > 0), axis=0)
    parts[reasons[0]] = share - parts[reasons[1:]].fillna(0.0).sum(axis=1)
    told = scores.assign(score=share, **parts.fillna(0.0), score_low=share / 3, score_high=share * 2)
    return dataclasses.replace(made, station_scores=told.reindex(made.station_scores.index))


@pytest.mark.filterwarnings("ignore:.* extension is not supported:UserWarning")
def test_every_product_of_a_long_list_tells_its_places_apart_and_alike(national, tmp_path):
    write_station_csv(tmp_path / "stations.csv", national)
    header, *rows = read_rows(tmp_path / "stations.csv")
    table = pd.DataFrame(rows, columns=header)
    names = ["score", "score_low", "score_high", *reason_columns(table)]
    figures = table[names].astype(float)
    exact = national.station_scores.sort_values("rank", kind="stable")["score"].to_numpy()
    assert figures["score"].to_numpy() == pytest.approx(exact, rel=0.051)
    assert figures["score"].min() > 0
    drawn = map_payload(national)["stations"]
    assert drawn["score"] == figures["score"].tolist()
    assert drawn["score_low"] == figures["score_low"].tolist()
    assert np.abs(np.sum(drawn["reasons"], axis=1) - figures["score"]).max() < 1e-9
    # What the page prints with `toFixed` is the figure itself: no decimal is cut.
    for name in ("score", "score_low", "score_high"):
        shown = [float(f"{value:.{n}f}") for value, n in zip(drawn[name], drawn["decimals"], strict=True)]
        assert shown == drawn[name]
    write_list_xlsx(tmp_path / "book.xlsx", national)
    sheet = openpyxl.load_workbook(io.BytesIO((tmp_path / "book.xlsx").read_bytes()))["Stations"]
    column = next(cell.column for cell in sheet[4] if str(cell.value).startswith("Score"))
    cells = [sheet.cell(row, column) for row in range(5, 5 + len(table))]
    assert [cell.value for cell in cells] == figures["score"].tolist()
    # A format shows as many decimals as it has places for.
    places = {cell.number_format.partition(".")[2] for cell in cells}
    assert all(len(text) >= max(drawn["decimals"]) for text in places)
