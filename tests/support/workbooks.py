"""XLSX files read with the standard library alone: cells as they are stored, with their formats."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from xml.etree import ElementTree as ET

NS = {
    "m": "http://schemas.openxmlformats.org/spreadsheetml/2006/main",
    "r": "http://schemas.openxmlformats.org/officeDocument/2006/relationships",
    "p": "http://schemas.openxmlformats.org/package/2006/relationships",
}


@dataclass(frozen=True)
class Cell:
    """One stored cell: ``kind`` is n for numbers, s for text."""

    kind: str
    value: str
    format: str

    @property
    def number(self) -> Decimal:
        assert self.kind == "n", self
        return Decimal(self.value)

    @property
    def moment(self) -> datetime:
        """A number in a format of dates, to the millisecond."""
        assert "yyyy" in self.format, self
        milliseconds = round(self.number * 86_400_000)
        return datetime(1899, 12, 30, tzinfo=UTC) + timedelta(milliseconds=milliseconds)


def sheets(path: Path) -> dict[str, list[list[Cell | None]]]:
    """Return the rows of every sheet, by its name."""
    with zipfile.ZipFile(path) as file:
        strings = [
            "".join(part.text or "" for part in item.iter(f"{{{NS['m']}}}t"))
            for item in ET.fromstring(file.read("xl/sharedStrings.xml"))
        ]
        formats = cell_formats(file)
        rels = {
            each.get("Id"): each.get("Target")
            for each in ET.fromstring(file.read("xl/_rels/workbook.xml.rels"))
        }
        found = {}
        for sheet in ET.fromstring(file.read("xl/workbook.xml")).iter(f"{{{NS['m']}}}sheet"):
            target = rels[sheet.get(f"{{{NS['r']}}}id")]
            tree = ET.fromstring(file.read(f"xl/{target}"))
            found[sheet.get("name")] = rows(tree, strings, formats)
        return found


def cell_formats(file: zipfile.ZipFile) -> list[str]:
    styles = ET.fromstring(file.read("xl/styles.xml"))
    codes = {
        each.get("numFmtId"): each.get("formatCode") for each in styles.iter(f"{{{NS['m']}}}numFmt")
    }
    crossed = styles.find("m:cellXfs", NS)
    return [codes.get(each.get("numFmtId"), "General") or "" for each in crossed]


def rows(tree: ET.Element, strings: list[str], formats: list[str]) -> list[list[Cell | None]]:
    found: list[list[Cell | None]] = []
    for row in tree.iter(f"{{{NS['m']}}}row"):
        while len(found) < int(row.get("r")) - 1:
            found.append([])
        cells: list[Cell | None] = []
        for cell in row:
            letters = cell.get("r").rstrip("0123456789")
            place = 0
            for letter in letters:
                place = place * 26 + ord(letter) - 64
            while len(cells) < place - 1:
                cells.append(None)
            value = cell.find("m:v", NS)
            kind = cell.get("t", "n")
            if value is None:
                cells.append(None)
                continue
            text = strings[int(value.text)] if kind == "s" else value.text
            cells.append(Cell(kind, text, formats[int(cell.get("s", "0"))]))
        found.append(cells)
    return found
