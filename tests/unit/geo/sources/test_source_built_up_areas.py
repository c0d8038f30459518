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
    assert table["population"].to_dict() == {
        "GN1": 184_090,
        "GN3": 82_140,
        "GN4": 27_000,
        "GN6": 107_680,
        "GN7": 47_430,
    }
    assert table.loc["GN7", "population_basis"] == "GeoNames"


def test_what_does_not_join_is_accounted_for(tmp_path):
    places, areas = read(tmp_path).accounts
    assert places.n_by_reason == (
        ("out_of_scope", "no_built_up_area", 2),
        ("out_of_scope", "no_population", 1),
        ("out_of_scope", "not_great_britain", 1),
        ("quarantined", "no_id", 1),
        ("quarantined", "populations_disagree", 1),
    )
    assert areas.n_by_reason == (
        ("out_of_scope", "no_place_of_this_name", 3),
        ("quarantined", "no_population", 1),
    )
    assert places.n_accepted == 5


def test_names_that_begin_alike_join_where_populations_agree_and_neither_has_another(tmp_path):
    places = (
        "geonameid,name,latitude,longitude,population,admin1code\n"
        "1,Brighton,50.82,-0.14,283870,ENG\n2,Brightons,55.98,-3.7,4700,ENG\n3,Thornton Heath,51.4,-0.1,14669,ENG\n"
        "4,Ash,51.2,-0.7,9000,ENG\n5,Ash Vale,51.2,-0.8,9100,ENG\n6,Kingswood,51.4,-2.5,40734,ENG\n"
        "7,Willington,54.7,-1.7,6633,ENG\n8,Willington,52.1,-0.4,751,ENG\n"
    )
    areas = (
        "Code,Name,Classification,Population\nE1,Brighton and Hove,Major,277105\nE2,Thornton (Wyre),Minor,19270\n"
        "E3,Ash and Ash Vale,Minor,9500\nE4,Kingswood and Fishponds,Large,160270\n"
        "E5,Willington (County Durham),Minor,5685\nE6,Willington (Derbyshire),Minor,2600\n"
    )
    (tmp_path / "places.csv").write_text(places)
    (tmp_path / "areas.csv").write_text(areas)
    reading = read_built_up_places(tmp_path / "places.csv", tmp_path / "areas.csv", force_area=None)
    # Ash and Ash Vale begins like Ash alone; of the Willingtons the populations tell which is meant.
    assert reading.table["population"].to_dict() == {"GN1": 277_105, "GN4": 9_500, "GN7": 5_685}
    assert "1 built-up areas of 50,000 residents and more have no place: Kingswood and Fishponds." in (
        reading.accounts[1].warnings
    )
