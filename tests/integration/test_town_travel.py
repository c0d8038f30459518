"""Trips by way of travel in the products of a run: parts make up the whole, and list, map and workbook say the same."""

import json
import re
import zipfile

import pandas as pd
import pytest

from geo.corridors.mode_split import MODES

SHARES = [f"{mode}_share" for mode in MODES]
UNSEEN = [f"unseen_by_{mode}_share" for mode in MODES]


@pytest.fixture(scope="module")
def towns(demo_run):
    return pd.read_csv(demo_run.folder / "towns.csv", encoding="utf-8-sig").set_index("place_id")


def test_the_list_divides_all_trips_and_all_that_no_station_sees(towns):
    some = towns.dropna(subset=["rail_share"])
    assert len(some) > 5
    assert some[SHARES].sum(axis=1).to_numpy() == pytest.approx(1.0)
    assert some[UNSEEN].sum(axis=1).to_numpy() == pytest.approx(some["unseen_share"].to_numpy())
    assert (some["unseen_by_rail_share"] <= some["rail_share"]).all()


def test_the_share_by_rail_has_a_range_about_it(towns):
    some = towns.dropna(subset=["rail_share"])
    assert (some["rail_share_low"] <= some["rail_share"] + 0.01).all()
    assert (some["rail_share"] <= some["rail_share_high"] + 0.01).all()
    assert (some["rail_share_low"] < some["rail_share_high"]).any()


def test_map_and_workbook_say_what_the_list_says(demo_run, towns):
    page = (demo_run.folder / "map.html").read_text(encoding="utf-8")
    data = json.loads(re.search(r'id="gl-data">(.*?)</script>', page, re.DOTALL).group(1))["towns"]
    ends = ("rail_share", "rail_share_low", "rail_share_high")
    told = pd.DataFrame({name: data[name] for name in (*ends, "unseen_by")}, index=data["id"])
    assert told.loc[towns.index, "unseen_by"].fillna("").tolist() == towns["unseen_by"].fillna("").tolist()
    for name in ends:
        mapped = told.loc[towns.index, name].astype(float)
        assert mapped.to_numpy() == pytest.approx(towns[name].to_numpy(), nan_ok=True)
    with zipfile.ZipFile(demo_run.folder / "priority_stations.xlsx") as book:
        texts = book.read("xl/sharedStrings.xml").decode()
    for text in ("Share by rail", *towns["unseen_by"].dropna()):
        assert f">{text}</t>" in texts, text
