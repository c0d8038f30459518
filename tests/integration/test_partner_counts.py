"""Counts of partners that a workspace names are read, accounted for, and wanting where none are named."""

import shutil

from gateline.commands.demo import _DATA, _FILES, demo_settings
from gateline.pipeline.read import input_files, read_inputs
from gateline.settings import Settings


def test_partner_counts_are_read_and_every_row_is_accounted_for(tmp_path):
    (tmp_path / "inputs").mkdir()
    for path in _FILES.values():
        shutil.copyfile(_DATA / path, tmp_path / "inputs" / path.split("/")[-1])
    (tmp_path / "inputs" / "partners.csv").write_text(
        "service,town,n\ntreatment,Harrogate,120\ntreatment,Scarborough,<5\ndeaths,Atlantis,3\n", encoding="utf-8"
    )
    without = demo_settings()
    named = {"partner_counts": "inputs/partners.csv", "partner_counts_columns": {"layer": "service", "place": "town"}}
    settings = Settings.model_validate(without.model_dump() | {"inputs": without.inputs.model_dump() | named})
    assert ("partner_counts", (tmp_path / "inputs" / "partners.csv").resolve()) in input_files(tmp_path, settings)

    inputs = read_inputs(tmp_path, settings)
    harrogate = inputs.places.index[inputs.places["name"] == "Harrogate"][0]
    assert inputs.partner_counts[["layer", "place_id", "n"]].to_numpy().tolist() == [["treatment", harrogate, 120.0]]
    account = next(account for account in inputs.accounts if account.source_file == "partners.csv")
    assert (account.n_read, account.n_accepted) == (3, 1)
    aside = inputs.quarantine[inputs.quarantine["source_file"] == "partners.csv"].sort_values("source_row")
    assert aside["reason"].tolist() == ["suppressed_count", "unknown_place"]
    assert read_inputs(tmp_path, without).partner_counts.empty
