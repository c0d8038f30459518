"""A disk that cannot sync is asked and taken at its word; one that is full or broken is an error."""

import errno
import os
import stat

import pytest

from geo.disclosure.keyed import read_or_make_key
from geo.disclosure.private_files import append_private
from geo.durable import sync_file, sync_folder

CANNOT = [errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EBADF]
BROKEN = [errno.ENOSPC, errno.EIO, errno.EDQUOT]


def refuse(monkeypatch, number, *, of=("files", "folders")):
    """Every sync of these answers with an error."""
    fsync = os.fsync

    def answer(descriptor):
        kind = "folders" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "files"
        if kind in of:
            raise OSError(number, os.strerror(number))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", answer)


def test_an_ordinary_disk_promises(tmp_path):
    with (tmp_path / "x").open("wb") as stream:
        assert sync_file(stream.fileno())
    assert sync_folder(tmp_path)


@pytest.mark.parametrize("number", CANNOT)
def test_a_disk_that_cannot_sync_promises_nothing_and_is_no_error(tmp_path, monkeypatch, number):
    refuse(monkeypatch, number)
    with (tmp_path / "x").open("wb") as stream:
        assert not sync_file(stream.fileno())
    assert not sync_folder(tmp_path)
    append_private(tmp_path / "lines", b"one\n")
    append_private(tmp_path / "lines", b"two\n")
    assert (tmp_path / "lines").read_bytes() == b"one\ntwo\n"
    assert len(read_or_make_key(tmp_path / "key")) == 32


@pytest.mark.parametrize("number", BROKEN)
def test_a_full_or_broken_disk_is_an_error(tmp_path, monkeypatch, number):
    refuse(monkeypatch, number)
    with (tmp_path / "x").open("wb") as stream, pytest.raises(OSError, match=os.strerror(number)):
        sync_file(stream.fileno())
    with pytest.raises(OSError, match=os.strerror(number)):
        sync_folder(tmp_path)


def test_a_folder_that_cannot_be_opened_is_not_synced(tmp_path, monkeypatch):
    def answer(*_):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(os, "open", answer)
    assert not sync_folder(tmp_path)
    monkeypatch.undo()
    with pytest.raises(FileNotFoundError):
        sync_folder(tmp_path / "absent")
