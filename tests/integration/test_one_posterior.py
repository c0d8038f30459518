"""Every product of one run shows the same posterior, value by value, and no more figures than its interval supports."""

import csv
import json
import re
from datetime import date

import numpy as np
import openpyxl
import pandas as pd
import pyogrio
import pypdf
import pytest

from gateline.commands.explain import explain_place
from gateline.products.guidance import RAILWAY_MEANING
from gateline.products.reasons import reason_label
from gateline.study import Study
from geo.errors import UsageError
from models.telling import round_figures

pytestmark = pytest.mark.filterwarnings("ignore:.* extension is not supported:UserWarning")
LISTS = {"stations": ("station_id", "station_share"), "towns": ("place_id", "town_share")}
NUMBERS = ("score", "score_low", "score_high", "trips_low", "trips_high", "rank", "rank_low", "rank_high", "p_top_10")
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
EACH = pytest.mark.parametrize("what", LISTS)


@pytest.fixture(scope="module")
def finished(demo_run):
    return demo_run


@pytest.fixture(scope="module")
def told(finished):
    """Both CSV lists, which the other products are held against."""
    found = {}
    for what, (key, _) in LISTS.items():
        with (finished.folder / f"{what}.csv").open(encoding="utf-8-sig", newline="") as stream:
            rows = list(csv.DictReader(stream))
        table = pd.DataFrame(rows).set_index(key)
        numbers = [c for c in table if c in {*NUMBERS, "courier_flow", "p_core"} or c.startswith(("reason_", "trips_"))]
        found[what] = table.assign(**{name: pd.to_numeric(table[name]) for name in numbers})
    return found


@pytest.fixture(scope="module")
def payload(finished):
    page = (finished.folder / "map.html").read_text(encoding="utf-8")
    return json.loads(re.search(r'<script[^>]*id="gl-data"[^>]*>(.*?)</script>', page, re.DOTALL).group(1))


def reasons_of(table):
    return [column for column in table.columns if column.startswith("reason_")]


@EACH
def test_the_lists_tell_the_draws(finished, told, what):
    """The oracle: scores, intervals, ranks and trips taken anew from the draws."""
    estimate = finished.results.fitted.estimate
    share = getattr(estimate, LISTS[what][1])
    scores = finished.results.station_scores if what == "stations" else finished.results.place_scores
    table = told[what].loc[list(scores.unit_ids)]
    score = 100 * share.mean(axis=0)
    assert np.abs(table["score"].to_numpy() - score).max() <= 0.05 + 1e-9
    for end, at in (("low", 0.05), ("high", 0.95)):
        assert np.abs(table[f"score_{end}"] - 100 * np.quantile(share, at, axis=0)).max() <= 0.05 + 1e-9
        trips = np.quantile(share * estimate.trips_per_month[:, None], at, axis=0)
        assert table[f"trips_{end}"].to_numpy() == pytest.approx(trips, rel=0.05)
    flow = score / 100 * estimate.trips_per_month.mean()
    np.testing.assert_array_equal(table["courier_flow"].to_numpy(), round_figures(flow))
    ranks = (share[:, :, None] < share[:, None, :]).sum(axis=2) + 1
    assert np.abs(table["p_top_10"] - (ranks <= 10).mean(axis=0)).max() <= 0.005 + 1e-9
    np.testing.assert_array_equal(table["rank"], (score[:, None] < score[None, :]).sum(axis=1) + 1)
    reasons = getattr(finished.results.fitted.reasons, "station" if what == "stations" else "town")
    assert np.abs(table[reasons_of(table)].to_numpy() - reasons.T).max() < 0.1 + 1e-9
    assert np.abs(table[reasons_of(table)].sum(axis=1) - table["score"]).max() < 1e-9


@EACH
def test_no_list_tells_more_than_its_interval_supports(told, what):
    table = told[what]
    for name in ["score", "score_low", "score_high", *reasons_of(table)]:
        assert np.abs(table[name] - table[name].round(1)).max() < 1e-9
    trips = ["courier_flow", "trips_low", "trips_high", *[c for c in table if c.endswith("_trips_per_month")]]
    for name in trips:
        values = pd.to_numeric(table[name])
        np.testing.assert_array_equal(values, round_figures(values))


@EACH
def test_the_map_tells_the_same(told, payload, what):
    table, drawn = told[what], payload[what]
    assert drawn["id"] == table.index.tolist()
    assert drawn["name"] == table["name"].tolist()
    assert drawn["tier"] == table["tier"].tolist()
    pairs = {"low": "rank_low", "high": "rank_high", "p10": "p_top_10", "flow": "courier_flow"}
    for name in ("score", "score_low", "score_high", "trips_low", "trips_high", "rank", *pairs):
        assert drawn[name] == table[pairs.get(name, name)].tolist(), name
    assert drawn["issued"] == (table["is_rank_issued"] == "true").tolist()
    assert drawn["reason_names"] == [reason_label(name) for name in reasons_of(table)]
    assert drawn["reasons"] == table[reasons_of(table)].to_numpy().tolist()


def test_hours_are_of_one_table_everywhere(finished, told, payload):
    hours = finished.results.hours
    table, drawn = told["stations"], payload["stations"]
    flow = finished.results.station_scores.table["trips_per_month"]
    sums = hours.groupby("station_id")["trips_per_month"].sum()
    np.testing.assert_allclose(sums, flow.reindex(sums.index), rtol=1e-12)
    book = openpyxl.load_workbook(finished.folder / "priority_stations.xlsx")
    front = sheet_of(book["Stations"]).set_index("Name")
    layer = pyogrio.read_dataframe(finished.folder / "layers.gpkg", layer="stations").set_index("station_id")
    study = Study(finished.inputs, finished.results, finished.settings)
    for k, (station, row) in enumerate(table.iterrows()):
        week = hours.loc[hours["station_id"] == station, "week_share"].to_numpy().reshape(7, 24)
        days, start, end = re.fullmatch(r"(daily|\w{3}(?:-\w{3})?) (\d\d):00-(\d\d):00", row["busy_hours"]).groups()
        first, last = (0, 6) if days == "daily" else ([*map(DAYS.index, days.split("-"))] * 2)[:2]
        held = week[[d % 7 for d in range(first, last + (7 if last < first else 0) + 1)], int(start) : int(end)].sum()
        assert 0.5 - 1e-9 <= held == pytest.approx(float(row["busy_hours_share"]), abs=0.005)
        strip = np.array(list(drawn["weeks"][drawn["week"][k]]), dtype=int).reshape(7, 24)
        np.testing.assert_array_equal(strip == 0, week == 0)
        np.testing.assert_array_equal(strip, np.ceil(np.round(4 * week / week.max(), 9)))
        assert (drawn["busy_hours"][k], drawn["busy_share"][k]) == (row["busy_hours"], float(row["busy_hours_share"]))
        assert front.loc[row["name"], "Busiest hours (half of its trips)"] == row["busy_hours"]
        assert layer.loc[station, "busy_hours"] == row["busy_hours"]
        assert layer.loc[station, "hours_basis"] == row["hours_basis"]
        assert row["hours_basis"] == hours.loc[hours["station_id"] == station, "hours_basis"].iloc[0]
    for station in ("SCA", "YRK"):
        share = round(100 * float(table.loc[station, "busy_hours_share"]))
        assert f"{share:6.0f} %  {table.loc[station, 'busy_hours']}" in explain_place(study, station)


def test_the_plan_tells_the_share_of_the_hours_it_works(finished):
    with (finished.folder / "plan.csv").open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    weeks = {str(s): t["week_share"].to_numpy() for s, t in finished.results.hours.groupby("station_id")}
    for row in rows:
        day = date.fromisoformat(row["worked_on"])
        assert day.weekday() == (int(row["day"]) - 1) % 7, "the plan begins on a Monday"
        quarters = np.arange(float(row["from_h"]), float(row["to_h"]), 0.25)
        hours = (24 * (int(row["day"]) - 1) + np.floor(quarters).astype(int)) % 168
        share = weeks[row["station_id"]][hours].sum() / 4
        assert float(row["shift_flow_share"]) == pytest.approx(share, abs=0.0005 + 1e-9)


def test_the_flow_drawn_is_score_times_trips(finished, payload):
    results = finished.results
    exact = results.station_scores.table["score"].reindex(payload["stations"]["id"]) / 100
    drawn = np.array(payload["stations"]["flow"])
    np.testing.assert_array_equal(drawn, round_figures(exact * results.fitted.estimate.trips_per_month.mean()))
    # And it is what the tables of flow add up to, by way, and by origin where all are listed.
    ways = np.array([payload["stations"][name] for name in ("boarding", "changing", "alighting")])
    # Both are rounded to two figures: 5 % each at most.
    assert ways.sum(axis=0) == pytest.approx(drawn, rel=0.1)
    for top, flow in zip(payload["stations"]["origins"], drawn, strict=True):
        assert sum(trips for _, trips in top) <= flow * 1.1


def test_links_carry_what_the_layers_say(finished, payload):
    layer = pyogrio.read_dataframe(finished.folder / "layers.gpkg", layer="corridors").set_index("link_id").sort_index()
    assert payload["links"]["total"] == layer["trips_per_month"].tolist()
    assert max(payload["links"]["total"]) > 0
    for parts, total in zip(payload["links"]["flow"], payload["links"]["total"], strict=True):
        assert sum(trips for _, trips in parts) == pytest.approx(total, rel=0.1)


@EACH
def test_the_layers_tell_the_same(finished, told, what):
    layer = pyogrio.read_dataframe(finished.folder / "layers.gpkg", layer=what).set_index(LISTS[what][0])
    table = told[what]
    for name in (*NUMBERS, "courier_flow", *reasons_of(table)):
        np.testing.assert_array_equal(layer.loc[table.index, name].to_numpy(float), table[name].to_numpy(float))
    assert layer.loc[table.index, "tier"].tolist() == table["tier"].tolist()


@EACH
def test_the_workbook_tells_the_same(finished, told, what):
    book = openpyxl.load_workbook(finished.folder / "priority_stations.xlsx")
    table = told[what]
    issued = (table["is_rank_issued"] == "true").to_numpy()
    front = sheet_of(book[what.capitalize()])
    labels = {
        "score": "Score (of 100 trips)",
        "score_low": "Score interval, from",
        "score_high": "Score interval, to",
        "trips_low": "Trips a month, from",
        "trips_high": "Trips a month, to",
        "rank_low": "Rank interval, from",
        "rank_high": "Rank interval, to",
        "p_top_10": "Chance of first ten",
        "courier_flow": "Courier flow (trips a month)",
    }
    assert front["Name"].tolist() == table["name"].tolist()
    assert front["Tier"].tolist() == table["tier"].tolist()
    for name, label in labels.items():
        np.testing.assert_array_equal(front[label].astype(float), table[name].astype(float))
    np.testing.assert_array_equal(front["Rank"].astype(float), table["rank"].where(issued).astype(float))
    why = sheet_of(book[f"Why, {what}"])
    for name in reasons_of(table):
        np.testing.assert_array_equal(why[reason_label(name)].astype(float), table[name])


def sheet_of(sheet):
    header = [cell.value for cell in sheet[4]]
    return pd.DataFrame(list(sheet.iter_rows(min_row=5, values_only=True)), columns=header)


@EACH
def test_the_briefing_tells_the_same(finished, told, what):
    pages = " ".join(page.extract_text() for page in pypdf.PdfReader(finished.folder / "briefing.pdf").pages)
    # Where columns are narrow the text of a page has no space between them.
    text = re.sub(r"\s", "", pages)
    table = told[what]
    for row in table.head(10).to_dict("records"):
        rank = str(row["rank"]) if row["is_rank_issued"] == "true" else "-"
        told_row = (
            f"{rank} {row['name']} {row['tier']} {row['rank_low']:.0f}-{row['rank_high']:.0f} "
            f"{row['score']:.1f} ({row['score_low']:.1f}-{row['score_high']:.1f}) "
            f"{row['courier_flow']:g} ({row['trips_low']:g}-{row['trips_high']:g}) {100 * row['p_top_10']:.0f} %"
        )
        at = text.index(told_row.replace(" ", ""))
        if what == "stations":
            assert f"Network{row['reason_network']:.1f}," in text[at : at + 200]


@pytest.mark.parametrize(("what", "unit"), [("stations", "SCA"), ("towns", "Whitby")])
def test_explain_tells_the_same(finished, told, what, unit):
    text = explain_place(Study(finished.inputs, finished.results, finished.settings), unit)
    table = told[what]
    row = table.loc[unit] if unit in table.index else table[table["name"] == unit].iloc[0]
    assert f"Score {row['score']:.1f} (90 % {row['score_low']:.1f} to {row['score_high']:.1f})" in text
    assert f"({row['rank_low']:.0f} to {row['rank_high']:.0f} of {len(table)})" in text
    assert (f"rank {row['rank']} (" in text) == (row["is_rank_issued"] == "true")
    assert f"chance of the first ten {100 * row['p_top_10']:.0f} %; tier {row['tier']}" in text
    assert f"Trips a month {row['courier_flow']:g} (90 % {row['trips_low']:g} to {row['trips_high']:g})" in text
    for name in reasons_of(table):
        assert f"{row[name]:+8.1f}  {name.removeprefix('reason_').replace('_', ' ')}" in text
    # What-ifs start from the score that is shown.
    starts = re.findall(r"\((\d+\.\d) to \d+\.\d\)", text.split("Assumptions that move it most")[1])
    assert starts
    assert set(starts) == {f"{row['score']:.1f}"}


def test_explain_asks_which_town_of_a_name_is_meant(finished, told):
    assert told["towns"]["name"].is_unique
    study = Study(finished.inputs, finished.results, finished.settings)
    with pytest.raises(UsageError) as several:
        explain_place(study, "norton")
    assert str(several.value) == (
        "explain: 'norton' is several towns, expected one of 'Norton (near Malton)', 'Norton (near Brayton)'. "
        "Name one in full."
    )
    assert "Norton (near Malton)" in explain_place(study, "Norton (near Malton)")
    assert explain_place(study, "yrk") == explain_place(study, "YRK")
    with pytest.raises(UsageError, match=r"'Atlantis' is no station or town of the list, expected a code, id or name"):
        explain_place(study, "Atlantis")


def test_what_is_assumed_of_the_railway_stands_at_the_scores_it_affects(finished, payload):
    said = "There is no timetable: every train is taken to call everywhere."
    assert said == RAILWAY_MEANING[finished.results.railway_basis]
    assert payload["stations"]["meaning"].endswith(said)
    assert said not in payload["towns"]["meaning"]
    book = openpyxl.load_workbook(finished.folder / "priority_stations.xlsx")
    assert any(said in str(cell.value) for row in book["Stations"].iter_rows(max_row=4) for cell in row)
    pages = " ".join(page.extract_text() for page in pypdf.PdfReader(finished.folder / "briefing.pdf").pages)
    assert said.replace(" ", "") in re.sub(r"\s", "", pages)
    assert said in (finished.folder / "model_card.md").read_text(encoding="utf-8")
    assert said in (finished.folder / "atrs.json").read_text(encoding="utf-8")
    assert said in explain_place(Study(finished.inputs, finished.results, finished.settings), "YRK")
    assert len(set(RAILWAY_MEANING.values())) == 3


def test_the_plan_names_places_as_the_list_does(finished, told):
    with (finished.folder / "plan.csv").open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert rows
    for row in rows:
        place = told["stations"].loc[row["station_id"]]
        assert (row["name"], row["tier"]) == (place["name"], place["tier"])
        assert float(row["expected_met_trips"]) <= place["courier_flow"]


def test_card_record_and_transparency_record_tell_the_same(finished, told):
    record = json.loads((finished.folder / "run.json").read_text())["posterior"]
    trips = finished.results.fitted.estimate.trips_per_month
    whole = [trips.mean(), *np.quantile(trips, (0.05, 0.95))]
    assert [record["trips_per_month"][name] for name in ("mean", "low", "high")] == round_figures(whole).tolist()
    sentence = "In all, about {mean:g} courier trips a month into or within the force (90 % range {low:g} to {high:g})."
    sentence = sentence.format(**record["trips_per_month"])
    card = (finished.folder / "model_card.md").read_text().replace("\\", "")
    assert sentence in card
    assert sentence in json.loads((finished.folder / "atrs.json").read_text())["tier_2"]["tool_specification"]["notes"]
    for what, table in told.items():
        first = record[what]["first"]
        assert [row["id"] for row in first] == table.index[:10].tolist()
        assert record[what]["tiers"] == table["tier"].value_counts().sort_index().to_dict()
        for row in first:
            told_row = table.loc[row["id"]]
            assert row["rank"] == (told_row["rank"] if told_row["is_rank_issued"] == "true" else None)
            assert row["trips_per_month"] == told_row["courier_flow"]
            for name in (set(NUMBERS) & set(row)) - {"rank"} | set(reasons_of(table)):
                assert row[name] == told_row[name], (row["id"], name)
    for source, moved in record["moved_of_100_trips"].items():
        assert f"| {source.replace('_', ' ')} | {moved:.1f} |" in card
        assert told["towns"][f"reason_{source}"].abs().sum() == pytest.approx(moved, abs=0.1 * len(told["towns"]))
