from geo.sources.built_up_areas import read_built_up_places

PLACES = """geonameid,name,latitude,longitude,population,admin1code
1,Bolton,53.58,-2.43,141331,ENG
2,Bolton,54.6,-2.56,500,ENG
3,Ashford,51.15,0.87,62787,ENG
4,Ashford,51.43,-0.46,27382,ENG
5,Holloway,51.55,-0.12,41329,ENG
6,Saint Helens,53.45,-2.74,0,ENG
7,Perth,56.4,-3.43,47430,SCT
8,Nowhere,56.5,-3.5,0,SCT
9,Belfast,54.6,-5.93,274770,NIR
10,Camden Town,51.54,-0.14,21000,ENG
x,Odd,51.5,-0.1,1,ENG
"""
AREAS = """Code,Name,Classification, Population
E1,Bolton (Bolton),Large,"  184,090 "
E2,Bolton (Eden),Minor," 300 "
E3,Ashford (Ashford),Large,"  82,140 "
E4,Ashford (Spelthorne),Medium,"  27,000 "
E5,Holloway,Minor, 520
E6,St Helens (St. Helens),Large,"  107,680 "
E7,Heapham,Minor,105
E8,Broken,Minor,many
"""


def read(tmp_path):
    (tmp_path / "places.csv").write_text(PLACES)
    (tmp_path / "areas.csv").write_text(AREAS)
    return read_built_up_places(tmp_path / "places.csv", tmp_path / "areas.csv", force_area=None)


def test_names_join_where_they_point_to_one_pair(tmp_path):
    table = read(tmp_path).table
    assert table["population"].to_dict() == {"GN1": 184_090, "GN6": 107_680, "GN7": 47_430}
    assert table.loc["GN7", "population_basis"] == "GeoNames"


def test_what_does_not_join_is_accounted_for(tmp_path):
    places, areas = read(tmp_path).accounts
    assert places.n_by_reason == (
        ("out_of_scope", "no_built_up_area", 4),
        ("out_of_scope", "no_population", 1),
        ("out_of_scope", "not_great_britain", 1),
        ("quarantined", "no_id", 1),
        ("quarantined", "populations_disagree", 1),
    )
    assert areas.n_by_reason == (
        ("out_of_scope", "no_place_of_this_name", 5),
        ("quarantined", "no_population", 1),
    )
    assert places.n_accepted == 3
