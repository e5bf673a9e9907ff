"""Export: what a book says, in files that other programs open.

``asked`` says what is to be given away and where it comes from; ``columns`` which columns a table
of events has and how many digits they need; ``text`` writes CSV and JSON Lines, ``parquet`` typed
columns, ``books`` workbooks and journals. ``arrow`` makes tables of our own into those of
notebooks; it and ``parquet`` are the only places that know pyarrow and polars.

What is exported is what is taken to have happened: corrections are applied, second sources set
aside. The formats, column by column, are in ``docs/reference/exports.md``.
"""

from __future__ import annotations

from replay.export.asked import FORMATS, WHAT, Asked, Made
from replay.export.write import export

__all__ = ["FORMATS", "WHAT", "Asked", "Made", "export"]
