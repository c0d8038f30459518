import pytest

from geo.errors import DisclosureError, InputError
from geo.sources.delimited import MAX_FIELD_CHARACTERS, read_delimited

COLUMNS = ["id", "place"]


def read(tmp_path, content, **options):
    path = tmp_path / "x.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_delimited(path, required=COLUMNS, **options)


def rows_of(reading):
    return list(reading.rows[COLUMNS].itertuples(name=None))


def faults_of(reading):
    return list(zip(reading.unreadable["source_row"], reading.unreadable["reason"], strict=True))


def test_values_stay_text(tmp_path):
    content = "id,place\n007,NA\n1E5,nan\nTRUE,None\nINF,\n"
    assert rows_of(read(tmp_path, content)) == [
        (2, "007", "NA"),
        (3, "1E5", "nan"),
        (4, "TRUE", "None"),
        (5, "INF", ""),
    ]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("quote", ["", '"'])
def test_line_ends_and_quotes_do_not_matter(tmp_path, end, quote):
    content = end.join(["id,place", f"1,{quote}York{quote}", "", "2 , Selby", ""])
    assert rows_of(read(tmp_path, content)) == [(2, "1", "York"), (4, "2", "Selby")]


def test_a_quoted_line_end_stays_in_its_row(tmp_path):
    reading = read(tmp_path, 'id,place\n1,"York\nMinster"\n2,Selby\n')
    assert rows_of(reading) == [(2, "1", "York\nMinster"), (4, "2", "Selby")]


@pytest.mark.parametrize("quote", ["", '"'])
def test_ragged_rows_leave_their_neighbours_alone(tmp_path, quote):
    content = f"id,place\n1,{quote}York{quote}\n2\n3,Selby,x\n4,Whitby\n"
    reading = read(tmp_path, content)
    assert rows_of(reading) == [(2, "1", "York"), (5, "4", "Whitby")]
    assert faults_of(reading) == [(3, "ragged"), (4, "ragged")]


@pytest.mark.parametrize("quote", ["", '"'])
def test_a_file_cut_mid_row_says_so(tmp_path, quote):
    reading = read(tmp_path, f"id,place\n1,{quote}York{quote}\n2")
    assert faults_of(reading) == [(3, "truncated")]
    assert any("may be cut short" in sentence for sentence in reading.warnings)


@pytest.mark.parametrize("quote", ["", '"'])
@pytest.mark.parametrize("odd", ["\0", "\x07", "\x1b[31m", "\x85", "\x7f"])
def test_control_characters_reject_their_row_only(tmp_path, odd, quote):
    reading = read(tmp_path, f"id,place\n1,{quote}Yo{odd}rk{quote}\n2,Selby\n3,Caf\u00e9 \u00a3\n")
    assert rows_of(reading) == [(3, "2", "Selby"), (4, "3", "Caf\u00e9 \u00a3")]
    assert faults_of(reading) == [(2, "control_character")]


@pytest.mark.parametrize("quote", ["", '"'])
def test_an_overlong_field_rejects_its_row_only(tmp_path, quote):
    long, longest = "x" * (MAX_FIELD_CHARACTERS + 1), "y" * MAX_FIELD_CHARACTERS
    reading = read(tmp_path, f"id,place\n1,{quote}{long}{quote}\n2,{longest}\n")
    assert faults_of(reading) == [(2, "too_long")]
    assert rows_of(reading) == [(3, "2", longest)]


def test_a_field_beyond_the_parsers_limit_is_rejected(tmp_path):
    reading = read(tmp_path, f'id,place\n1,"{"x" * 200_000}"\n2,Selby\n')
    assert rows_of(reading) == [(3, "2", "Selby")]
    assert set(reading.unreadable["reason"]) == {"too_long"}


def test_a_stray_quote_rejects_its_row_only(tmp_path):
    reading = read(tmp_path, 'id,place\n1,"York"x\n2,Selby\n')
    assert rows_of(reading) == [(3, "2", "Selby")]
    assert faults_of(reading) == [(2, "quoting")]


def test_an_unclosed_quote_is_named_by_its_line(tmp_path):
    with pytest.raises(InputError, match="the quote opened in the row of line 3 is never closed"):
        read(tmp_path, 'id,place\n1,York\n2,"Selby\n3,Whitby\n')


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\xef\xbb\xbfid,place\n1,Caf\xc3\xa9\n", "byte-order mark"),
        ("id,place\n1,Café\n".encode("utf-16"), "UTF-16"),
        ("id,place\n1,Café\n".encode("cp1252"), "Windows-1252"),
    ],
)
def test_other_encodings_are_decoded_and_said(tmp_path, content, words):
    reading = read(tmp_path, content)
    assert rows_of(reading) == [(2, "1", "Café")]
    assert words in " ".join(reading.warnings)


def test_bytes_that_no_encoding_explains_reject_their_row(tmp_path):
    reading = read(tmp_path, "id,place\n1,Café\n2,".encode() + b"\xff\xfe\n3,Selby\n")
    assert rows_of(reading) == [(2, "1", "Café"), (4, "3", "Selby")]
    assert faults_of(reading) == [(3, "encoding")]


@pytest.mark.parametrize("separator", [";", "\t", "|"])
def test_other_separators_are_found_and_said(tmp_path, separator):
    reading = read(tmp_path, f"id{separator}place\n1{separator}York, N\n")
    assert rows_of(reading) == [(2, "1", "York, N")]
    assert any("not by a comma" in sentence for sentence in reading.warnings)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"<!DOCTYPE html><html><body>503</body></html>", "it is a web page, perhaps an error page"),
        (b"\n  <?xml version='1.0'?><Error/>", "it is a web page"),
        (b"PK\x03\x04rest", "it is a ZIP archive or an Excel workbook"),
        (b"\xd0\xcf\x11\xe0rest", "password-protected Excel workbook"),
        (b'{"type": "FeatureCollection"}', "it is JSON"),
        (bytes(100), "it is binary"),
        (b" \n \n", "it holds only blanks"),
        (b"id,place\n", "it has 0 rows below its header"),
        (b"id,place\n\n\n", "it has 0 rows below its header"),
        (b"id,place,id\n1,York,2\n", "column 'id' is there twice"),
        (b"ident,plcae\n1,York\n", r"column 'id', 'place' is missing.*Near: .*'plcae'"),
        (b"id\n1\n", r"x.csv: column 'place' is missing, expected it in the header \('id'\)"),
    ],
)
def test_what_is_no_table_is_refused_in_one_sentence(tmp_path, content, words):
    with pytest.raises(InputError, match=words) as caught:
        read(tmp_path, content)
    assert caught.value.exit_code == 3
    assert "\n" not in str(caught.value)


def test_unused_columns_are_listed(tmp_path):
    reading = read(tmp_path, "x1,place,id,x2\na,York,1,b\n", optional=["absent"])
    assert rows_of(reading) == [(2, "1", "York")]
    assert list(reading.rows) == COLUMNS
    assert reading.warnings == ("columns not used: x1, x2.",)


@pytest.mark.parametrize(
    "column", ["Suspect Name", "DOB", "victim_id", "VRM", "mobileNumber", "Date of Birth", "name", "officer"]
)
def test_columns_about_persons_are_refused(tmp_path, column):
    content = f"id,place,{column}\n1,York,x\n"
    with pytest.raises(DisclosureError, match="seems to describe a person") as caught:
        read(tmp_path, content, refuse_person_columns=True)
    assert caught.value.exit_code == 7
    assert len(read(tmp_path, content).rows) == 1


@pytest.mark.parametrize("column", ["LSOA name", "Falls within", "station name", "automobile", "beat_code", "children"])
def test_columns_about_places_are_no_persons(tmp_path, column):
    reading = read(tmp_path, f"id,place,{column}\n1,York,x\n", refuse_person_columns=True)
    assert len(reading.rows) == 1


def test_repetitive_columns_come_as_categories_of_the_same_text(tmp_path):
    reading = read(tmp_path, "id,place\n1,York\n2,York\n", repetitive=["place"])
    assert reading.rows["place"].dtype == "category"
    assert reading.rows["place"].tolist() == ["York", "York"]


@pytest.mark.parametrize("quote", ["", '"'])
def test_categories_are_sorted_however_long_the_file(tmp_path, quote):
    ids = [f"{n % 40_000:05d}" for n in range(60_000, 0, -1)]
    content = "".join(f"{quote}{number}{quote},York\n" for number in ids)
    reading = read(tmp_path, "id,place\n" + content, repetitive=["id"])
    assert reading.rows["id"].cat.categories.is_monotonic_increasing
    assert reading.rows["id"].tolist() == ids


def test_a_file_of_one_column_keeps_blank_looking_rows(tmp_path):
    path = tmp_path / "one.csv"
    path.write_text("id\n1\n \n\n2\n")
    reading = read_delimited(path, required=["id"])
    assert reading.rows["id"].to_dict() == {2: "1", 3: "", 5: "2"}
