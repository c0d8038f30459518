"""
Street-level offences of data.police.uk: the months of one force out of an archive that is never fetched whole.

The site publishes one zip a month, at an address that it documents, with three years of all forces: well over a
gigabyte. A zip says where its members lie, so its end and the members wanted are asked for by byte range. Each month is
one file, set in place whole and remembered by its hash; a second call asks only for what is missing or is not what its
hash says. Only `gateline fetch` calls this.

References
----------
.. [1] data.police.uk, "About", section Data Download: archives are at ``/data/archive/[year]-[month].zip``.
"""

from __future__ import annotations

import http.client
import io
import json
import os
import re
import time
import urllib.error
import urllib.parse
import urllib.request
import zipfile
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import IO, Any

from geo.errors import ResourceError, UsageError

__all__ = ["ArchivePolicy", "FetchedMonths", "fetch_street_months"]

_MANIFEST = "police-months.json"
_BUSY = (429, 500, 502, 503, 504)
_BLOCK = 1 << 20


@dataclass(frozen=True)
class ArchivePolicy:
    """
    How the site is asked.

    Attributes
    ----------
    endpoint : str
        Address of the folder of archives; ``https``, or ``http`` on this machine.
    timeout_s : float
        Seconds to wait for an answer.
    n_tries : int
        Times to ask for one part.
    wait_s : float
        Seconds to wait after a failure, doubled each time.
    max_bytes : int
        Largest file of one month, unpacked.
    user_agent : str
        What the client calls itself.
    """

    endpoint: str = "https://data.police.uk/data/archive"
    timeout_s: float = 60.0
    n_tries: int = 5
    wait_s: float = 5.0
    max_bytes: int = 256 * 1024 * 1024
    user_agent: str = "gateline/0.1 (open offence data for police analysis; parts of one archive at a time)"


@dataclass(frozen=True)
class FetchedMonths:
    """
    What was fetched.

    Attributes
    ----------
    paths : tuple of pathlib.Path
        One CSV file a month, in order.
    sha256 : tuple of str
        Hash of each.
    missing : tuple of str
        Months that the archive does not hold for this force.
    n_downloaded : int
        Files that were not in the cache.
    """

    paths: tuple[Path, ...]
    sha256: tuple[str, ...]
    missing: tuple[str, ...]
    n_downloaded: int


def fetch_street_months(
    force: str,
    months: Sequence[str],
    folder: Path,
    *,
    policy: ArchivePolicy | None = None,
    on_month: Callable[[int, int], None] | None = None,
) -> FetchedMonths:
    """
    Fetch the street-level files of one force.

    Parameters
    ----------
    force : str
        As in the site's file names, such as ``north-yorkshire``.
    months : sequence of str
        ``YYYY-MM``; the archive of the latest is asked, which reaches three years back.
    folder : pathlib.Path
        Cache; made if it is absent. Files keep the names of the archive.
    policy : ArchivePolicy, optional
        How to ask.
    on_month : callable, optional
        Told the number of months done and of all, for a progress bar.

    Returns
    -------
    FetchedMonths
        For `geo.sources.police_uk.read_police_uk`.

    Raises
    ------
    UsageError
        If force, months or address are wrong, or the site cannot be reached or does not serve parts of a file.
    ResourceError
        If a month is larger than the policy allows.
    """
    policy = policy or ArchivePolicy()
    wanted = _require_wanted(force, months)
    require_encrypted(policy.endpoint)
    folder.mkdir(parents=True, exist_ok=True)
    manifest = _read_manifest(folder / _MANIFEST)
    names = {month: f"{month}-{force}-street.csv" for month in wanted}
    hashes = {month: _cached_hash(folder / name, manifest.get(name)) for month, name in names.items()}
    to_do = [month for month, known in hashes.items() if known is None]
    n_done, missing = len(wanted) - len(to_do), []
    if to_do:
        url = f"{policy.endpoint.rstrip('/')}/{wanted[-1]}.zip"
        with _open_archive(url, policy) as archive:
            held = {Path(info.filename).name: info for info in archive.infolist()}
            for month in to_do:
                if names[month] in held:
                    content = _read_member(archive, held[names[month]], policy, url)
                    _set_in_place(folder / names[month], content)
                    hashes[month] = sha256(content).hexdigest()
                    manifest[names[month]] = {"sha256": hashes[month], "archive": url}
                    # Written after each month, so that what is done stays done.
                    _set_in_place(folder / _MANIFEST, json.dumps(manifest, indent=1, sort_keys=True).encode())
                else:
                    missing.append(month)
                n_done += 1
                if on_month is not None:
                    on_month(n_done, len(wanted))
    known = [(folder / names[month], digest) for month, digest in hashes.items() if digest is not None]
    return FetchedMonths(
        paths=tuple(path for path, _ in known),
        sha256=tuple(digest for _, digest in known),
        missing=tuple(missing),
        n_downloaded=len(to_do) - len(missing),
    )


def require_encrypted(url: str) -> None:
    """
    Pass if an address is encrypted, or on this machine.

    Parameters
    ----------
    url : str
        The address.

    Raises
    ------
    UsageError
        If it is neither.
    """
    parts = urllib.parse.urlsplit(url)
    is_local = parts.hostname in {"127.0.0.1", "localhost", "::1"}
    if parts.scheme != "https" and not (parts.scheme == "http" and is_local):
        msg = f"endpoint: {url!r} is not encrypted, expected an https address. Set the site's https address."
        raise UsageError(msg)


def _require_wanted(force: str, months: Sequence[str]) -> list[str]:
    """The months once each, in order."""
    if not re.fullmatch("[a-z]+(-[a-z]+)*", force):
        msg = f"force: {force!r} is no name of the site's files, expected one such as 'north-yorkshire'. Mend it."
        raise UsageError(msg)
    odd = [month for month in months if not re.fullmatch("20[0-9]{2}-(0[1-9]|1[0-2])", month)]
    if odd or not months:
        msg = f"months: {odd or list(months)!r} is no month, expected some as YYYY-MM. Set the first and last month."
        raise UsageError(msg)
    return sorted(set(months))


class _EncryptedRedirects(urllib.request.HTTPRedirectHandler):
    """Follows the site to where it keeps its files, but never to an address that is not encrypted."""

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:  # noqa: ANN401
        require_encrypted(newurl)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


class _RemoteFile(io.RawIOBase):
    """A file on a server, read by byte range."""

    def __init__(self, url: str, policy: ArchivePolicy) -> None:
        super().__init__()
        self._url, self._policy = url, policy
        self._opener = urllib.request.build_opener(_EncryptedRedirects())
        self._at = 0
        self._version: tuple[int, str] | None = None
        self._ask(0, 1)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401 - any writable buffer
        if self._at >= self._size or not len(buffer):
            return 0
        part = self._ask(self._at, len(buffer))
        buffer[: len(part)] = part
        self._at += len(part)
        return len(part)

    @property
    def _size(self) -> int:
        return 0 if self._version is None else self._version[0]

    def _ask(self, start: int, n_bytes: int) -> bytes:
        """Bytes from a position, asking again while the server is busy or the connection breaks."""
        last = start + n_bytes - 1 if self._version is None else min(start + n_bytes, self._size) - 1
        wait_s, problem = self._policy.wait_s, "no answer"
        for attempt in range(self._policy.n_tries):
            if attempt:
                time.sleep(wait_s)
                wait_s = 2 * wait_s
            try:
                return self._ask_once(start, last)
            except urllib.error.HTTPError as error:
                error.close()
                problem = f"HTTP {error.code}"
                if error.code not in _BUSY:
                    break
            except UsageError:
                raise
            except (OSError, http.client.HTTPException, ValueError) as error:
                problem = str(error) or type(error).__name__
        msg = (
            f"{self._url}: cannot be fetched ({problem}) in {attempt + 1} tries, expected an archive. Run fetch again "
            "later, or set an earlier last month: what is done is kept."
        )
        raise UsageError(msg)

    def _ask_once(self, start: int, last: int) -> bytes:
        request = urllib.request.Request(  # noqa: S310 - the scheme was checked at the door
            self._url, headers={"User-Agent": self._policy.user_agent, "Range": f"bytes={start}-{last}"}
        )
        with self._opener.open(request, timeout=self._policy.timeout_s) as answer:
            stated = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+)", answer.headers.get("Content-Range", ""))
            if answer.status != http.client.PARTIAL_CONTENT or stated is None:
                msg = f"{self._url}: the server does not serve parts of a file, expected byte ranges. Set another."
                raise UsageError(msg)
            first, end, size = (int(part) for part in stated.groups())
            version = (size, answer.headers.get("ETag", ""))
            content: bytes = answer.read(last - start + 2)
        if self._version is not None and version != self._version:
            msg = f"{self._url}: the archive changed while it was read, expected one version. Run fetch again."
            raise UsageError(msg)
        if first != start or len(content) != end - first + 1:
            msg = f"{len(content)} bytes came for {end - first + 1}"
            raise ValueError(msg)
        self._version = version
        return content


def _open_archive(url: str, policy: ArchivePolicy) -> zipfile.ZipFile:
    remote: IO[bytes] = io.BufferedReader(_RemoteFile(url, policy), buffer_size=_BLOCK)
    try:
        return zipfile.ZipFile(remote)
    except zipfile.BadZipFile as error:
        msg = f"{url}: the content is no zip ({error}), expected an archive of the site. Check the address."
        raise UsageError(msg) from error


def _read_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, policy: ArchivePolicy, url: str) -> bytes:
    """One member, checked against the size and sum that the archive states."""
    if info.file_size > policy.max_bytes:
        msg = f"{info.filename}: it is {info.file_size} bytes unpacked, expected at most {policy.max_bytes}. Check it."
        raise ResourceError(msg)
    try:
        with archive.open(info) as member:
            content = member.read(policy.max_bytes + 1)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        msg = f"{url}: {info.filename} is damaged ({error}), expected a whole member. Run fetch again."
        raise UsageError(msg) from error
    return content


def _cached_hash(path: Path, entry: Any) -> str | None:  # noqa: ANN401 - JSON
    """The hash of a file that is there and is what the manifest says, else None."""
    if not isinstance(entry, dict) or not path.is_file():
        return None
    digest = sha256(path.read_bytes()).hexdigest()
    return digest if digest == entry.get("sha256") else None


def _read_manifest(path: Path) -> dict[str, Any]:
    """What is known of the files; a manifest that cannot be read is as good as none."""
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return manifest if isinstance(manifest, dict) else {}


def _set_in_place(path: Path, content: bytes) -> None:
    """The file has this content, whole, or is as it was."""
    part = path.with_name(f".{path.name}.part")
    with part.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    part.replace(path)
