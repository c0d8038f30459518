"""Zip files: what is refused before it is expanded."""

import io
import zipfile

import pytest

from geo.errors import InputError, ResourceError
from geo.sources.archives import open_archive


def write(tmp_path, *members: tuple[str | zipfile.ZipInfo, bytes]):
    path = tmp_path / "feed.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return path


def test_members_are_found_by_suffix_and_read(tmp_path):
    archive = open_archive(write(tmp_path, ("X1.MCA", b"HD"), ("X1.MSN", b"A")))
    assert archive.find(".mca") == "X1.MCA"
    assert archive.find(".ALF") is None
    assert archive.read("X1.MCA") == b"HD"


def test_two_members_of_one_suffix_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"feed.zip: 2 members end in '.MCA', expected one"):
        open_archive(write(tmp_path, ("X1.MCA", b"HD"), ("X2.MCA", b"HD"))).find(".MCA")


@pytest.mark.parametrize("name", ["../evil.txt", "/etc/passwd", "folder/stops.txt", "C:stops.txt", "a\\b.txt"])
def test_names_that_are_paths_are_refused(tmp_path, name):
    with pytest.raises(InputError, match=r"is in a folder or has no plain name"):
        open_archive(write(tmp_path, (name, b"x")))


def test_links_and_nested_zips_and_repeats_are_refused(tmp_path):
    link = zipfile.ZipInfo("stops.txt")
    link.external_attr = 0o120777 << 16
    with pytest.raises(InputError, match=r"member 'stops.txt' is a link"):
        open_archive(write(tmp_path, (link, b"/etc/passwd")))
    with pytest.raises(InputError, match=r"is another zip file"):
        open_archive(write(tmp_path, ("inner.ZIP", b"x")))
    path = tmp_path / "feed.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("stops.txt", b"1")
        with pytest.warns(UserWarning, match=r"Duplicate name"):
            archive.writestr("stops.txt", b"2")
    with pytest.raises(InputError, match=r"it repeats a member name"):
        open_archive(path)


def test_bombs_and_crowds_are_refused(tmp_path):
    with pytest.raises(ResourceError, match=r"member 'a.txt' expands over 200 times"):
        open_archive(write(tmp_path, ("a.txt", bytes(8 * 2**20))))
    with pytest.raises(ResourceError, match=r"it has 51 members"):
        open_archive(write(tmp_path, *((f"{k}.txt", b"x") for k in range(51))))


def test_members_that_share_bytes_are_refused(tmp_path):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("a.txt", b"aaaa")
        archive.writestr("b.txt", b"bbbb")
    data = bytearray(stream.getvalue())
    second = data.rindex(b"PK\x01\x02")
    data[second + 42 : second + 46] = (0).to_bytes(4, "little")
    path = tmp_path / "feed.zip"
    path.write_bytes(data)
    with pytest.raises(InputError, match=r"its members overlap"):
        open_archive(path)


def test_damage_and_other_files_are_refused(tmp_path):
    page = tmp_path / "page.zip"
    page.write_text("<html>")
    with pytest.raises(InputError, match=r"page.zip: it is no zip file"):
        open_archive(page)
    path = write(tmp_path, ("a.txt", b"hello" * 50))
    data = bytearray(path.read_bytes())
    data[35:38] = b"\xff\xff\xff"  # the first bytes behind the local header of 30 bytes and the name
    path.write_bytes(data)
    with pytest.raises(InputError, match=r"member 'a.txt' is damaged or locked"):
        open_archive(path).read("a.txt")


def test_a_missing_member_is_named(tmp_path):
    with pytest.raises(InputError, match=r"feed.zip: member 'b.txt' is missing"):
        open_archive(write(tmp_path, ("a.txt", b"x"))).read("b.txt")
