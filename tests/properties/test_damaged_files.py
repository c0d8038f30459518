"""However a file is damaged: one sentence, or rows that are all accounted for; and of a victims' file never a word."""

import re

import pandas as pd
import pytest

from gateline.pipeline.read_victims import read_victims
from gateline.settings import InputSettings, Settings, read_settings, write_settings_template
from geo.errors import GatelineError
from geo.sources.accounting import Reading
from geo.sources.deal_lines import read_deal_lines
from geo.sources.deployments import read_deployments
from geo.sources.exporters import read_exporters
from geo.sources.partner_counts import read_partner_counts
from tests.damage import damage

N_DAMAGED, LONGEST = 60, 2_000
PLACES = pd.DataFrame(
    {"name": ["York", "Selby", "Malton"], "is_in_force": True},
    index=pd.Index(["york", "selby", "malton"], name="place_id"),
)
EXPORTERS = pd.DataFrame({"name": ["Leeds"]}, index=pd.Index(["leeds"], name="exporter_id"))
NAMED = InputSettings(cuckooing_columns={"address_id": "reference"})


def told_in_full(reading, _):
    """Every row of the file has one fate, and the quarantine holds those it should."""
    if isinstance(reading, Reading):
        for account in reading.accounts:
            assert account.n_read == account.n_accepted + sum(n for *_, n in account.n_by_reason)
            n_kept_out = sum(n for status, _, n in account.n_by_reason)
            assert len(reading.quarantine) == n_kept_out


def told_privately(reading, data):
    """And no word of the file that has a digit is in a message, a warning or the quarantine."""
    told_in_full(reading, data)
    said = str(reading)
    if isinstance(reading, Reading):
        assert reading.quarantine["value"].isna().all()
        account = reading.accounts[0]
        said = reading.quarantine[["reason", "field"]].to_csv() + repr((account.n_by_reason, account.warnings))
    words = set(re.findall(r"[0-9A-Za-z.]{4,}", data.decode("utf-8", "replace")))
    shown = {word for word in words if re.search(r"\d.*\d", word) and word in said}
    assert not shown, (shown, said)


def table(header, *rows):
    return "\n".join([header, *rows, ""]).encode()


CASES = {
    "region": (write_settings_template(Settings()).encode(), read_settings, told_in_full),
    "deal_lines": (
        table(
            "line_id,origin,destination,first_seen,last_seen,n_lines,provenance",
            "one,leeds,york,2024-01,2024-10-05,2,public_report",
            "two,,selby,,,,",
            "three,Leeds,Malton,2023-11-20,,1,unknown",
        ),
        lambda path: read_deal_lines(path, exporters=EXPORTERS, places=PLACES),
        told_in_full,
    ),
    "cuckooing": (
        table(
            "reference,x,y,first_seen,last_seen",
            "HOME7731,459613.25,451771.5,2024-10-05,2024-11-28",
            "HOME7732,459713.25,452871.5,2024-08,",
            "HOME7733,461613.25,449771.5,2025-01-17,",
        ),
        lambda path: read_victims(path, NAMED),
        told_privately,
    ),
    "deployments": (
        table(
            "station,worked_on,n_hours,reason,propensity,n_stops,n_finds,n_children,n_referrals,run_id,shift",
            "YRK,2024-10-05,2.5,model,0.25,4,1,,,abc,early",
            "SBY,2024-10-06,,random,0.1,,,,,abc,late",
            "YRK,2024-10-07,3,must,,0,0,0,0,abc,early",
        ),
        lambda path: read_deployments(path, station_ids={"YRK", "SBY"}),
        told_in_full,
    ),
    "exporters": (
        table(
            "exporter_id,name,x,y,population,hub_station,n_lines,prior_lines",
            "leeds,Leeds,-1.548,53.797,536280,LDS,,12",
            "manchester,Manchester,-2.244,53.483,470405,MAN,3,",
            "hull,Hull,-0.336,53.744,267014,,,",
        ),
        lambda path: read_exporters(path, station_ids={"LDS", "MAN"}),
        told_in_full,
    ),
    "partner_counts": (
        table("layer,place,n", "treatment,York,40", "treatment,Selby,<5", "deaths,malton,7", "deaths,york,*"),
        lambda path: read_partner_counts(path, places=PLACES),
        told_in_full,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_damaged_file_is_one_sentence_or_rows_that_are_all_accounted_for(tmp_path, name):
    data, read, require = CASES[name]
    path = tmp_path / "damaged.csv"
    told = []
    for k in range(N_DAMAGED):
        spoilt = damage(data, name, k)
        path.write_bytes(spoilt)
        try:
            found = read(path)
        except GatelineError as error:
            found = error
            told.append(str(error))
        require(found, spoilt)
    assert 0 < len(told) < N_DAMAGED
    assert not [text for text in told if not text.isprintable() or len(text) > LONGEST or ", expected " not in text]


@pytest.mark.parametrize("name", CASES)
def test_the_undamaged_file_is_read(tmp_path, name):
    data, read, require = CASES[name]
    path = tmp_path / "whole.csv"
    path.write_bytes(data)
    require(read(path), data)
