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


@pytest.mark.parametrize("n_after", [1, 20_000])
def test_a_quote_never_closed_is_named_by_its_line(tmp_path, n_after):
    with pytest.raises(InputError, match="the quote opened in the row of line 3 is never closed"):
        read(tmp_path, 'id,place\n1,York\n2,"Selby\n' + "3,Whitby\n" * n_after)
    reading = read(tmp_path, 'id,place\n1,York\n2,"Selby\n3,Whitby\n4,"Hull"\n')
    assert rows_of(reading) == [(2, "1", "York"), (4, "3", "Whitby"), (5, "4", "Hull")]
    assert faults_of(reading) == [(3, "quoting")]
    assert "1 rows have a quote that does not close where its field ends, the first in line 3" in reading.warnings[0]


WIDE = "id,place,kind,note"


@pytest.mark.parametrize("n_between", [0, 1, 3, 1000])
@pytest.mark.parametrize("first", ['{n},"York,a,b', '{n},York,"a,b', '{n},York,a,"b', '"{n},York,a,b'])
@pytest.mark.parametrize("last", ['{n},York",a,b', '{n},York,a",b', '{n},York,a,b"', '{n},Yo"rk,a,b', '{n}",York,a,b'])
def test_stray_quotes_that_pair_up_swallow_no_row(tmp_path, n_between, first, last):
    lines = [f"{n},York,a,b" for n in range(n_between + 20)]
    lines[2] = first.format(n=2)
    lines[3 + n_between] = last.format(n=3 + n_between)
    reading = read(tmp_path, "\n".join([WIDE, *lines]) + "\n")
    assert len(reading.rows) + len(reading.unreadable) == len(lines)
    assert faults_of(reading)[0] == (4, "quoting")
    assert len(reading.unreadable) <= 2
    intact = [n for n in range(len(lines)) if '"' not in lines[n]]
    assert set(intact) <= set(reading.rows.index - 2)


def test_quotes_within_values_are_part_of_them(tmp_path):
    content = 'id,place\n1,12" ruler\n2,O\'Hare\'s\n3,"said ""no"""\n4,5\' 6"\n'
    assert [value for _, _, value in rows_of(read(tmp_path, content))] == [
        '12" ruler',
        "O'Hare's",
        'said "no"',
        "5' 6\"",
    ]


def test_an_address_of_several_lines_with_commas_is_one_value(tmp_path):
    content = WIDE + '\n1,"1 High Street,\nYork,\nYO1 7HH",a,b\n2,Selby,a,b\n'
    reading = read(tmp_path, content)
    assert rows_of(reading) == [(2, "1", "1 High Street,\nYork,\nYO1 7HH"), (5, "2", "Selby")]
    assert not len(reading.unreadable)


def test_damaged_text_is_rejected_in_a_file_with_quotes_too(tmp_path):
    reading = read(tmp_path, 'id,place\n1,"Café"\n2,'.encode() + b"\xff\xfe\n3,Selby\n")
    assert faults_of(reading) == [(3, "encoding")]


@pytest.mark.parametrize("quote", ["", '"'])
def test_title_lines_above_the_header_are_passed_over_and_lines_keep_their_numbers(tmp_path, quote):
    reading = read(tmp_path, f"Towns of 2025\n\nMade on 1 May,,\nid,place\n1,{quote}York{quote}\n2,Selby\n")
    assert rows_of(reading) == [(5, "1", "York"), (6, "2", "Selby")]
    assert "2 lines above the header were passed over." in reading.warnings
    assert rows_of(read(tmp_path, f"\n\nid,place\n1,{quote}York{quote}\n")) == [(4, "1", "York")]
    assert rows_of(read(tmp_path, f"sep=;\nid;place\n1;{quote}York{quote}\n")) == [(3, "1", "York")]


@pytest.mark.parametrize("quote", ["", '"'])
def test_separators_at_the_ends_of_rows_hold_nothing(tmp_path, quote):
    for content in (
        f"id,place,,\n1,{quote}York{quote},,\n2,Selby,,\n",
        f"id,place\n1,{quote}York{quote},\n2,Selby, ,\n",
        f"id,place,\n1,{quote}York{quote}\n2,Selby\n",
        f"id,place,,\n1,{quote}York{quote}\n2,Selby,\n",
        f"id, place\n1, {quote}York{quote}\n\n2, Selby\n\n",
    ):
        reading = read(tmp_path, content)
        assert [row[1:] for row in rows_of(reading)] == [("1", "York"), ("2", "Selby")], content
    reading = read(tmp_path, f"id,place\n1,{quote}York{quote},\n2,Selby,x\n")
    assert faults_of(reading) == [(3, "ragged")]
    assert "1 rows end in more ',' than the header" in reading.warnings[0]


@pytest.mark.parametrize("quote", ["", '"'])
def test_a_header_in_the_middle_and_a_line_of_totals_are_no_rows(tmp_path, quote):
    reading = read(tmp_path, f"id,place\n1,{quote}York{quote}\nid,place\n2,Selby\nTotal,2\n")
    assert rows_of(reading) == [(2, "1", "York"), (4, "2", "Selby")]
    assert faults_of(reading) == [(3, "header_again"), (5, "total_row")]
    assert set(reading.unreadable["status"]) == {"out_of_scope"}
    assert "1 rows repeat the header, the first in line 3" in reading.warnings[0]
    ragged = read(tmp_path, f"id,place\n1,{quote}York{quote}\nGrand total:,,9\n\n")
    assert faults_of(ragged) == [(3, "total_row")]
    assert not len(read(tmp_path, f"id,place\n1,{quote}York{quote}\nTotally,Selby\n").unreadable)
    with pytest.raises(InputError, match="line 3 names the columns in another order, expected one header at the top"):
        read(tmp_path, f"id,place\n1,{quote}York{quote}\nplace,id\nSelby,2\n")


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("1,York,North", r"3 of 4 rows have another number of fields than the header \(the first in line 2\)"),
        ('1,"York"x', "have a quote that does not close where its field ends .* every quote within a text doubled"),
        ("1,Yo\x07rk", "hold control characters"),
        ("1," + "x" * 20_000, "have a value of over 10000 characters"),
    ],
)
def test_a_file_of_which_most_rows_cannot_be_read_is_refused_with_the_cause(tmp_path, row, words):
    with pytest.raises(InputError, match=words):
        read(tmp_path, f"id,place\n{row}\n{row}\n{row}\n2,Selby\n")


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


def test_a_file_without_one_readable_row_is_refused_and_no_surprise(tmp_path):
    with pytest.raises(InputError, match="2 of 2 rows have another number of fields than the header"):
        read(tmp_path, "x,id,place\n1,York\n2,Selby\n", repetitive=["id"])


def test_a_header_with_a_name_too_many_and_a_separator_at_each_end_is_read_by_its_columns(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("a,b,new,c,\n1,2,3,\n4,5,6,\n")
    read = read_delimited(path, required=["a", "b", "c"])
    assert len(read.rows) + len(read.unreadable) == 2
