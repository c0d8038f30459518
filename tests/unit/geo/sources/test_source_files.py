import errno
import gzip
import os
from pathlib import Path

import pytest

from geo.errors import InputError, IntegrityError, ResourceError, UsageError
from geo.sources.files import InputStream, _names_in, is_reserved, is_virtual, read_input_file, require_plain_path


@pytest.mark.parametrize(
    "path",
    ["/vsicurl/http/x.csv", "/vsizip/a.zip/x.csv", "https://host/x.csv", "sqlite:x.db", "\\\\server\\share\\x.csv"],
)
def test_virtual_and_remote_paths_are_refused(path):
    with pytest.raises(UsageError, match=r"is a virtual or remote path, expected a local file\."):
        require_plain_path(Path(path))


@pytest.mark.parametrize("name", ["con.csv", "LPT1", "nul.tar.gz", "CONIN$", "com\u00b9", "x.csv.", "x.csv "])
def test_names_that_windows_reads_otherwise_are_refused_there_alone(tmp_path, name):
    with pytest.raises(UsageError, match="is not a portable file name"):
        require_plain_path(tmp_path / name, is_windows=True)
    assert require_plain_path(tmp_path / name, is_windows=False) == tmp_path / name
    assert is_reserved(name)


@pytest.mark.parametrize(
    "name", ["console.csv", "auxiliary", "com10", "x.y.csv", "nullable.csv", ".csv", "caf\u00e9 x"]
)
def test_ordinary_names_are_names_everywhere(tmp_path, name):
    assert require_plain_path(tmp_path / name, is_windows=True) == tmp_path / name
    assert not is_reserved(name)


# What the user has on a network drive, as its path resolves on Windows; and what only looks like it.
SHARES = [r"\\server\share\x.csv", r"\\server\home$\J Smith\x.csv", "//server/share/x.csv", r"\\10.0.0.7\data\x.csv"]
DEVICES = [
    r"\\?\C:\x.csv",
    r"\\.\PhysicalDrive0",
    "//?/UNC/server/share/x.csv",
    "//./pipe/x",
    "///server/x",
    "/vsicurl/x",
    "/VSIZIP/x",
    "//vsimem/x",
    "s3://bucket/x",
    "http://host/x",
    "file:///x",
    "GTFS:x",
]


@pytest.mark.parametrize("text", SHARES)
def test_a_share_is_a_local_path_on_windows_alone(text):
    assert not is_virtual(text, is_windows=True)
    assert is_virtual(text, is_windows=False)


@pytest.mark.parametrize("text", [r"Z:\data\x.csv", "C:/Users/J Smith/x.csv", r"inputs\x.csv", "x.csv"])
def test_a_drive_and_a_folder_are_local(text):
    assert not is_virtual(text, is_windows=True)


@pytest.mark.parametrize("text", DEVICES)
@pytest.mark.parametrize("is_windows", [True, False])
def test_devices_schemes_and_virtual_files_are_no_local_path_anywhere(text, is_windows):
    assert is_virtual(text, is_windows=is_windows)
    with pytest.raises(UsageError, match="is a virtual or remote path"):
        require_plain_path(PathThatIs(text), is_windows=is_windows)


class PathThatIs:
    """A path whose text this system would write otherwise."""

    def __init__(self, text):
        self.text = text

    def __str__(self):
        return self.text


def test_the_name_of_a_share_is_no_name_of_a_file():
    """The server and the share are called what they are called; the folders below are not."""
    assert _names_in(PathThatIs(r"\\server\aux\in\x.csv"), is_windows=True) == ("in", "x.csv")
    assert _names_in(PathThatIs(r"C:\in\con"), is_windows=True) == ("in", "con")
    assert _names_in(PathThatIs("/in/con"), is_windows=False) == ("in", "con")


@pytest.mark.parametrize("read", [read_input_file, lambda path: list(InputStream(path).pieces())])
def test_a_pipe_a_folder_a_loop_and_a_path_too_long_are_refused_and_nothing_waits(tmp_path, read):
    os.mkfifo(tmp_path / "pipe.csv")
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "loop.csv").symlink_to("loop.csv")
    for name, says in (
        ("pipe.csv", "it is not a regular file"),
        ("folder.csv", "it is not a regular file"),
        ("x" * 300, "it cannot be read"),
        ("absent.csv", "it cannot be read"),
    ):
        with pytest.raises(InputError, match=says):
            read(tmp_path / name)
    with pytest.raises(UsageError, match=r"'loop\.csv' cannot be followed .*expected a plain path"):
        read(tmp_path / "loop.csv")


def test_a_file_that_may_not_be_read_is_told(tmp_path, monkeypatch):
    path = tmp_path / "x.csv"
    path.write_text("a\n1\n")

    def refuse(*_, **__):
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(type(path), "open", refuse)
    with pytest.raises(InputError, match=r"x\.csv: it cannot be read \(Permission denied\), expected a readable file"):
        read_input_file(path)


def test_a_link_that_leads_outside_its_root_is_refused(tmp_path):
    (tmp_path / "secret.csv").write_text("a\n1\n")
    root = tmp_path / "workspace"
    root.mkdir()
    (root / "in.csv").symlink_to(tmp_path / "secret.csv")
    with pytest.raises(UsageError, match="leads outside 'workspace'"):
        require_plain_path(root / "in.csv", root=root)
    (root / "plain.csv").write_text("a\n")
    assert require_plain_path(root / "plain.csv", root=root) == root / "plain.csv"


def test_missing_empty_and_irregular_files_are_refused(tmp_path):
    (tmp_path / "empty.csv").write_bytes(b"")
    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(InputError, match=r"no.csv: it cannot be read \(No such file or directory\)"):
        read_input_file(tmp_path / "no.csv")
    with pytest.raises(InputError, match=r"empty.csv: it is empty \(0 bytes\), expected a header and rows"):
        read_input_file(tmp_path / "empty.csv")
    for name in ("pipe.csv", "."):
        with pytest.raises(InputError, match="it is not a regular file"):
            read_input_file(tmp_path / name)


def test_gzip_is_told_by_content_and_members_are_joined(tmp_path):
    path = tmp_path / "x.csv"
    path.write_bytes(gzip.compress(b"a\n1\n") + gzip.compress(b"2\n"))
    assert read_input_file(path).data == b"a\n1\n2\n"


def test_a_gzip_bomb_stops_at_the_cap(tmp_path):
    bomb = tmp_path / "bomb.csv.gz"
    bomb.write_bytes(gzip.compress(bytes(2**24)))
    with pytest.raises(ResourceError, match="expands to more than"):
        read_input_file(bomb)
    with pytest.raises(ResourceError, match=r"has \d+ bytes, expected at most 10"):
        read_input_file(bomb, max_bytes=10)
    bomb.write_bytes(gzip.compress(bytes(5_000)))
    with pytest.raises(ResourceError, match="expands to more than 1000 bytes"):
        read_input_file(bomb, max_bytes=1_000)


@pytest.mark.parametrize(("cut", "words"), [(-9, "stop early"), (40, "stop early")])
def test_truncated_gzip_is_refused(tmp_path, cut, words):
    whole = gzip.compress(os.urandom(400))
    path = tmp_path / "x.gz"
    path.write_bytes(whole[:cut])
    with pytest.raises(InputError, match=words):
        read_input_file(path)


def test_damaged_gzip_is_refused(tmp_path):
    path = tmp_path / "x.gz"
    path.write_bytes(gzip.compress(os.urandom(400))[:10] + b"\xff" * 40)
    with pytest.raises(InputError, match="its gzip data are damaged"):
        read_input_file(path)


def test_a_file_that_grows_while_it_is_read_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "x.csv"
    path.write_bytes(b"a,b\n1,2\n")
    fstat = os.fstat

    def fstat_after_growth(descriptor):
        with path.open("ab") as stream:
            stream.write(b"3,4\n")
        return fstat(descriptor)

    monkeypatch.setattr(os, "fstat", fstat_after_growth)
    with pytest.raises(IntegrityError, match="its size changed while it was read") as caught:
        read_input_file(path)
    assert caught.value.exit_code == 5
