"""The file: a ZIP archive, stored without compression, of which there is exactly one form.

What is read is written again and compared, so that no byte of the container is free: not a date,
not a comment, not the order of the entries. Any program that opens ZIP files opens a pack.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping

from replay.evidence.verifier.canon import Refused

DATE = 0x21
"""The first of January 1980: a pack says nothing about when its file was written."""


def container(files: Mapping[str, bytes]) -> bytes:
    """Return the archive of files, in the order of their names' bytes."""
    bodies, entries, offset = [], [], 0
    for name in sorted(files, key=str.encode):
        body, title = files[name], name.encode()
        fields = (20, 0x800, 0, 0, DATE, zlib.crc32(body), len(body), len(body), len(title), 0)
        local = struct.pack("<4s5H3I2H", b"PK\x03\x04", *fields) + title + body
        central = struct.pack("<4s6H3I5H2I", b"PK\x01\x02", 20, *fields, 0, 0, 0, 0, offset)
        bodies.append(local)
        entries.append(central + title)
        offset += len(local)
    directory = b"".join(entries)
    count = len(entries)
    end = (b"PK\x05\x06", 0, 0, count, count, len(directory), offset, 0)
    return b"".join(bodies) + directory + struct.pack("<4s4H2IH", *end)


def contents(data: bytes) -> dict[str, bytes]:
    """Return the files of an archive.

    Raises: Refused, when the bytes are not exactly those ``container`` writes for them.
    """
    files: dict[str, bytes] = {}
    at = 0
    try:
        while data[at : at + 4] == b"PK\x03\x04":
            size, length = struct.unpack_from("<I", data, at + 22)[0], data[at + 26]
            start = at + 30 + length
            name = data[at + 30 : start].decode()
            if name in files or start + size > len(data):
                raise Refused(11, f"the file is cut, or holds {name} twice")
            files[name] = data[start : start + size]
            at = start + size
        again = container(files)
    except (struct.error, IndexError, UnicodeDecodeError) as error:
        raise Refused(11, f"the file is no pack, or damaged: {error}") from error
    if not files or again != data:
        raise Refused(11, "the file is no pack, or damaged: its bytes are not those of its files")
    return files
