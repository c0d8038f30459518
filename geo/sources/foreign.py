"""What a file is by its content, for those that are saved or sent under another kind's name."""

from __future__ import annotations

import codecs
import re

__all__ = ["ERROR_PAGE", "name_foreign"]

ERROR_PAGE = "a web page, perhaps an error page"
_LOOK_BYTES = 4096
# First bytes of what people save under the wrong name.
_MAGIC = (
    (b"\xd0\xcf\x11\xe0", "an old or password-protected Excel workbook"),
    (b"%PDF", "a PDF document"),
    (b"SQLite format 3", "a database or GeoPackage"),
    (b"PAR1", "a Parquet file"),
    (b"\x89PNG", "a picture"),
    (b"BZh", "a bzip2 archive"),
    (b"7z\xbc\xaf", "a 7-Zip archive"),
    (b"\x00\x00\x27\x0a", "a shapefile"),
    (b"fgb\x03fgb", "FlatGeobuf"),
)
_ZIP = b"PK\x03\x04"
# The names of the members stand uncompressed at both ends of an archive.
_MEMBERS = (
    (re.compile(rb"\.shp\b", re.IGNORECASE), "a zipped shapefile"),
    (re.compile(rb"xl/workbook"), "an Excel workbook"),
    (re.compile(rb"\.kml\b", re.IGNORECASE), "KMZ (Google Earth)"),
    (re.compile(rb"\.gdb/", re.IGNORECASE), "a zipped file geodatabase"),
)
_END_BYTES = 65_536
_PROLOGUE = re.compile(r"\A(?:\s|<\?.*?\?>|<!--.*?-->)*", re.DOTALL)
_ROOT = re.compile(r"<(?:!doctype\s+)?(?:[\w.-]+:)?([A-Za-z_][\w.-]*)", re.IGNORECASE)
# Roots of XML that are known without an XML declaration before them.
_PAGES = frozenset({"html", "head", "body", "error"})
_XML = {
    "kml": "KML (Google Earth)",
    "gpx": "GPX",
    "osm": "OpenStreetMap XML",
    "osmchange": "an OpenStreetMap change file",
    "workbook": "an Excel workbook saved as XML",
    "exceptionreport": "an error report of a map server",
    "serviceexceptionreport": "an error report of a map server",
    "wfs_capabilities": "the list of layers of a map server",
}


def name_foreign(data: bytes) -> str | None:
    """
    Say what a file is, where it is neither a table of text nor JSON.

    Parameters
    ----------
    data : bytes
        The content.

    Returns
    -------
    str or None
        The kind in words; None for anything else.

    Examples
    --------
    >>> name_foreign(b'<?xml version="1.0"?><kml xmlns="http://www.opengis.net/kml/2.2"/>'), name_foreign(b"a,b")
    ('KML (Google Earth)', None)
    """
    if data.startswith(_ZIP):
        ends = data[:_END_BYTES] + data[-_END_BYTES:]
        return next((kind for name, kind in _MEMBERS if name.search(ends)), "a ZIP archive or an Excel workbook")
    kind = next((kind for magic, kind in _MAGIC if data.startswith(magic)), None)
    return kind or _name_xml(_head_text(data))


def _head_text(data: bytes) -> str:
    """The first characters, whatever bytes they are not."""
    head = data[:_LOOK_BYTES]
    is_utf16 = head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return head.decode("utf-16" if is_utf16 else "utf-8-sig", "replace")


def _name_xml(head: str) -> str | None:
    """The kind of XML by its root element, None for what is no XML."""
    prologue = _PROLOGUE.match(head)
    start = prologue.end() if prologue else 0
    root = _ROOT.match(head, start)
    name = root[1].casefold() if root else ""
    if name in _PAGES:
        return ERROR_PAGE
    is_declared = head.lstrip().startswith("<?xml")
    if name in _XML:
        return _XML[name]
    if root and "opengis.net/gml" in head:
        return "GML"
    if is_declared:
        return f"XML with the root <{root[1][:40]}>" if root else "XML"
    return None
