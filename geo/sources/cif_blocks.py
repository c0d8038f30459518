"""
The lines of a CIF file in blocks of whole schedules, so that a national file is never in memory at once.

In: bytes in pieces of any size. Out: blocks of lines of 80 bytes, each with its number in the file. A file without its
header or its trailer is refused: a copy that was cut short reads well to its last line, and lacks trains.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geo.errors import InputError

__all__ = ["WIDTH", "Block", "read_blocks", "text_of"]

Cells = NDArray[np.uint8]

WIDTH = 80
# Bytes that are worked on at once, to bound memory.
_PIECE_BYTES = 4 * 2**20
# Records that begin something; those between belong to the schedule before them.
_STARTERS = (b"HD", b"TI", b"TA", b"TD", b"AA", b"BS", b"ZZ")
# A train has some hundred locations: more lines than this are no schedule, and are not held back for its end.
_MOST_HELD = 10_000
_COMMENT = b"/!"


@dataclass(frozen=True)
class Block:
    """
    Lines that follow each other.

    Attributes
    ----------
    cells : numpy.ndarray of shape (n_lines, 80)
        Bytes; shorter lines are filled with blanks.
    line : numpy.ndarray of shape (n_lines,)
        Number of each in the file, from 1.
    kind : numpy.ndarray of shape (n_lines,)
        The two letters that each starts with.
    starts : numpy.ndarray of shape (n_lines,)
        Whether each begins a record that does not belong to the one before it.
    """

    cells: Cells
    line: NDArray[np.int64]
    kind: NDArray[np.bytes_]
    starts: NDArray[np.bool_]


def text_of(cells: Cells, start: int, stop: int) -> NDArray[np.bytes_]:
    """
    Give some columns as text.

    Parameters
    ----------
    cells : numpy.ndarray of shape (n_lines, 80)
        Bytes.
    start, stop : int
        First column and the one after the last, from 0.

    Returns
    -------
    numpy.ndarray of shape (n_lines,)
        Bytes of the columns.
    """
    return np.ascontiguousarray(cells[:, start:stop]).view(f"S{stop - start}").ravel()


def read_blocks(pieces: Iterable[bytes], source_file: str) -> Iterator[Block]:
    """
    Cut a file into blocks; no schedule lies in two of them.

    Parameters
    ----------
    pieces : iterable of bytes
        The file in order.
    source_file : str
        Its name, for messages.

    Yields
    ------
    Block
        Every line that is not blank, once and in order.

    Raises
    ------
    InputError
        If the file does not start with a header, does not end with a trailer, or has no lines.
    """
    held: tuple[Cells, NDArray[np.int64]] = (np.zeros((0, WIDTH), dtype=np.uint8), np.zeros(0, dtype=np.int64))
    n_lines, last = 0, b""
    for text in _whole_lines(pieces, source_file):
        if n_lines == 0 and not text.startswith((b"HD", _COMMENT)):
            msg = (
                f"{source_file}: it starts with {text[:8]!r}, expected a CIF header 'HD'. Check that it is a CIF file."
            )
            raise InputError(msg)
        cells, line = _split_lines(text, n_lines)
        n_lines += text.count(b"\n")
        cells, line = np.concatenate([held[0], cells]), np.concatenate([held[1], line])
        block = _block(cells, line)
        last = _last_record(block, last)
        begun = np.flatnonzero(block.starts)
        cut = int(begun[-1]) if len(begun) and len(line) - begun[-1] < _MOST_HELD else len(line)
        held = cells[cut:], line[cut:]
        if cut:
            yield Block(block.cells[:cut], block.line[:cut], block.kind[:cut], block.starts[:cut])
    if len(held[1]):
        yield _block(*held)
    if not last.startswith(b"ZZ"):
        msg = (
            f"{source_file}: its last record is {last.decode('latin-1').strip()[:20]!r}, expected the trailer 'ZZ'. "
            "The file is cut short: fetch it again."
        )
        raise InputError(msg)


def _whole_lines(pieces: Iterable[bytes], source_file: str) -> Iterator[bytes]:
    """The same bytes in pieces that end with a line; the last one ends where the file does."""
    waiting: list[bytes] = []
    n_bytes, n_lines = 0, 0
    for piece in pieces:
        waiting.append(piece)
        n_bytes += len(piece)
        if n_bytes < _PIECE_BYTES:
            continue
        text = b"".join(waiting)
        cut = text.rfind(b"\n") + 1
        if cut == 0:
            msg = (
                f"{source_file}: line {n_lines + 1} is longer than {_PIECE_BYTES} bytes, expected {WIDTH}. "
                "Check that it is a CIF file."
            )
            raise InputError(msg)
        waiting, n_bytes = [text[cut:]], len(text) - cut
        n_lines += text.count(b"\n")
        yield text[:cut]
    text = b"".join(waiting)
    if text:
        yield text


def _split_lines(text: bytes, n_before: int) -> tuple[Cells, NDArray[np.int64]]:
    """One row of 80 bytes a line, without blank ones, and the number of each."""
    stride = WIDTH + 1
    flat = np.frombuffer(text, dtype=np.uint8)
    if (
        len(flat) % stride == 0
        and (flat[WIDTH::stride] == ord("\n")).all()
        and text.count(b"\n") == len(flat) // stride
    ):
        return flat.reshape(-1, stride)[:, :WIDTH], n_before + np.arange(1, len(flat) // stride + 1)
    lines = text.split(b"\n")
    found = [(k, line.rstrip(b"\r")) for k, line in enumerate(lines, start=n_before + 1) if line.strip()]
    cells = np.frombuffer(b"".join(line[:WIDTH].ljust(WIDTH) for _, line in found), dtype=np.uint8)
    return cells.reshape(-1, WIDTH), np.array([k for k, _ in found], dtype=np.int64)


def _block(cells: Cells, line: NDArray[np.int64]) -> Block:
    kind = text_of(cells, 0, 2)
    return Block(cells, line, kind, np.isin(kind, _STARTERS))


def _last_record(block: Block, before: bytes) -> bytes:
    """The last line that is no comment."""
    at = np.flatnonzero(block.kind != _COMMENT)
    return block.cells[at[-1]].tobytes() if len(at) else before
