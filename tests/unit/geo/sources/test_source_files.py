import gzip
import os
from pathlib import Path

import pytest

from geo.errors import InputError, IntegrityError, ResourceError, UsageError
from geo.sources.files import read_input_file, require_plain_path


@pytest.mark.parametrize(
    "path",
    ["/vsicurl/http/x.csv", "/vsizip/a.zip/x.csv", "https://host/x.csv", "sqlite:x.db", "\\\\server\\share\\x.csv"],
)
def test_virtual_and_remote_paths_are_refused(path):
    with pytest.raises(UsageError, match=r"is a virtual or remote path, expected a local file\."):
        require_plain_path(Path(path))


@pytest.mark.parametrize("name", ["con.csv", "LPT1", "x.csv.", "x.csv "])
def test_names_that_windows_reads_otherwise_are_refused(tmp_path, name):
    with pytest.raises(UsageError, match="is not a portable file name"):
        require_plain_path(tmp_path / name)


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
