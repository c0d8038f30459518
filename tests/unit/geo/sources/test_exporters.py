"""Exporting areas are read whole, blanks stay null, and a bad row is set aside with its reason."""

import numpy as np

from geo.sources.exporters import read_exporters

TEXT = """exporter_id,name,lon,lat,population,hub_station_id,n_lines
west-yorkshire,West Yorkshire,-1.5486,53.7944,2351600,lds,6
nowhere,Nowhere,,,5,,1
merseyside,Merseyside,-2.9775,53.4077,1423300,,
merseyside2,Merseyside 2,-2.9775,53.4077,many,,
wrong,Wrong,-2.9775,53.4077,10,,-3
"""


def test_rows_are_read_or_set_aside(tmp_path):
    path = tmp_path / "exporters.csv"
    path.write_text(TEXT)
    reading = read_exporters(path)
    assert reading.table.index.tolist() == ["merseyside", "west-yorkshire"]
    assert reading.table.loc["west-yorkshire", "hub_station_id"] == "LDS"
    assert reading.table.loc["west-yorkshire", "n_lines"] == 6
    assert np.isnan(reading.table.loc["merseyside", "n_lines"])
    assert reading.table["hub_station_id"].isna().tolist() == [True, False]
    assert reading.quarantine["reason"].tolist() == ["no_position", "bad_population", "bad_n_lines"]
    account = reading.accounts[0]
    assert (account.n_read, account.n_accepted) == (5, 2)
