"""Files: what is taken, what is refused, and that a refusal leaves nothing of a file behind."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import random
import zipfile
from pathlib import Path

import lz4.frame
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from ledger.entries import RawRecord
from ledger.errors import RefusedFile
from ledger.sources import files, unpack
from ledger.sources.files import records, size_of

TEXT = b'{"coin":"BTC","px":"1.0"}\n' * 400
NOISE = random.Random(7).randbytes(300_000)

PACKERS = {
    "gz": gzip.compress,
    "lz4": lz4.frame.compress,
    "zst": lambda data: zstandard.ZstdCompressor(write_checksum=True).compress(data),
}


def zipped(members: dict[str, bytes], *, deflated: bool = True) -> bytes:
    held = io.BytesIO()
    method = zipfile.ZIP_DEFLATED if deflated else zipfile.ZIP_STORED
    with zipfile.ZipFile(held, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return held.getvalue()


def put(path: Path, data: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def bodies(*paths: Path, **options: object) -> list[bytes]:
    found = list(records(paths, **options))
    assert all(isinstance(item, RawRecord) for item in found), found
    return [item.body for item in found]


def refusal(path: Path) -> RefusedFile:
    found = list(records([path]))
    assert [RefusedFile] == [type(item) for item in found]
    return found[0]


def test_the_digest_is_taken_over_the_record_inside_its_wrapping(tmp_path: Path):
    plain = put(tmp_path / "a.json", TEXT)
    packed = put(tmp_path / "a.json.gz", gzip.compress(TEXT))
    first, second = records([plain, packed])
    assert hashlib.sha256(TEXT).hexdigest() == first.digest == second.digest
    assert str(packed) == second.name
    assert first.fetched is None


@pytest.mark.parametrize("ending", PACKERS)
@pytest.mark.parametrize("data", [b"", TEXT, NOISE, TEXT * 100], ids=["empty", "s", "noise", "l"])
def test_packed_files_come_out_as_they_went_in(tmp_path: Path, ending: str, data: bytes):
    assert [data] == bodies(put(tmp_path / f"a.{ending}", PACKERS[ending](data)))


@pytest.mark.parametrize("ending", PACKERS)
def test_frames_one_after_the_other_are_one_record(tmp_path: Path, ending: str):
    pack = PACKERS[ending]
    path = put(tmp_path / f"a.{ending}", pack(TEXT) + pack(b"") + pack(NOISE))
    assert [TEXT + NOISE] == bodies(path)


@pytest.mark.parametrize("ending", PACKERS)
def test_packing_is_known_by_the_first_bytes_not_by_the_name(tmp_path: Path, ending: str):
    assert [TEXT] == bodies(put(tmp_path / "a.json", PACKERS[ending](TEXT)))


@pytest.mark.parametrize("ending", PACKERS)
@pytest.mark.parametrize("lost", [1, 4, 9, 1000])
def test_a_frame_that_is_cut_off_is_refused_whole(tmp_path: Path, ending: str, lost: int):
    data = PACKERS[ending](NOISE)
    assert "damaged" in refusal(put(tmp_path / f"a.{ending}", data[:-lost])).reason


@pytest.mark.parametrize("ending", PACKERS)
def test_anything_behind_a_frame_is_refused(tmp_path: Path, ending: str):
    path = put(tmp_path / f"a.{ending}", PACKERS[ending](TEXT) + b"more")
    assert "something else follows" in refusal(path).reason


@pytest.mark.parametrize("ending", ["gz", "lz4", "zst", "zip"])
def test_a_name_that_promises_packing_over_plain_bytes_is_refused(tmp_path: Path, ending: str):
    assert "does not begin as" in refusal(put(tmp_path / f"a.{ending}", TEXT)).reason
    assert "does not begin as" in refusal(put(tmp_path / f"b.{ending}", b"")).reason


@pytest.mark.parametrize("ending", ["gz", "zst"])
def test_a_flipped_bit_never_passes_where_a_checksum_is_kept(tmp_path: Path, ending: str):
    data = bytearray(PACKERS[ending](NOISE[:2000]))
    for place in range(20, len(data), 97):
        data[place] ^= 4
        found = list(records([put(tmp_path / f"a.{ending}", bytes(data))]))
        assert [RefusedFile] == [type(item) for item in found], place
        data[place] ^= 4


def test_a_frame_of_another_length_than_it_declares_is_refused(tmp_path: Path):
    packed = bytearray(lz4.frame.compress(NOISE, store_size=True))
    packed[6] ^= 1
    assert isinstance(refusal(put(tmp_path / "a.lz4", bytes(packed))), RefusedFile)
    whole = bytearray(gzip.compress(TEXT))
    whole[-4] ^= 1
    assert "damaged" in refusal(put(tmp_path / "a.gz", bytes(whole))).reason


@pytest.mark.parametrize("ending", PACKERS)
def test_a_bomb_is_refused_before_it_is_large(tmp_path: Path, ending: str, monkeypatch):
    given: list[int] = []
    told = unpack.Budget.give
    monkeypatch.setattr(
        unpack.Budget, "give", lambda self, count: (given.append(count), told(self, count))
    )
    path = put(tmp_path / f"a.{ending}", PACKERS[ending](bytes(60_000_000)))
    assert "more than 200 times" in refusal(path).reason
    assert sum(given) < 60_000_000
    assert max(given) <= 1 << 25


def test_a_zip_bomb_is_refused(tmp_path: Path):
    path = put(tmp_path / "a.zip", zipped({"a.json": bytes(30_000_000)}))
    assert "more than 200 times" in refusal(path).reason


def test_a_file_larger_than_a_record_may_be_is_refused(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(unpack, "RECORD_BYTES_MAX", 100_000)
    monkeypatch.setattr(files, "RECORD_BYTES_MAX", 100_000)
    plain = put(tmp_path / "a.json", NOISE)
    packed = put(tmp_path / "b.gz", gzip.compress(NOISE))
    members = {f"{n}.json": NOISE[:60_000] for n in range(2)}
    archive = put(tmp_path / "c.zip", zipped(members))
    for path in (plain, packed, archive):
        assert "more than 100000 bytes" in refusal(path).reason


def test_members_of_a_zip_file_come_by_name_and_hidden_ones_stay(tmp_path: Path):
    members = {"b/2.csv": b"two", "a.json": b"one", ".hidden": b"x", "__MACOSX/a.json": b"x"}
    path = put(tmp_path / "a.zip", zipped(members))
    found = list(records([path]))
    assert [(f"{path}/a.json", b"one"), (f"{path}/b/2.csv", b"two")] == [
        (item.name, item.body) for item in found
    ]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("../a.json", "leads out of it"),
        ("b/../../a.json", "leads out of it"),
        ("/etc/a.json", "absolute"),
        ("C:/a.json", "absolute"),
        ("b\\a.json", "absolute"),
        ("a.zip", "itself an archive"),
        ("a.csv.gz", "itself an archive"),
        ("a\x1b[2J.json", "control characters"),
    ],
)
def test_a_zip_file_with_a_dishonest_entry_is_refused_whole(tmp_path: Path, name: str, said: str):
    path = put(tmp_path / "a.zip", zipped({"good.json": b"[]", name: b"[]"}))
    assert said in refusal(path).reason


def test_a_link_in_a_zip_file_is_refused(tmp_path: Path):
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        link = zipfile.ZipInfo("a.json")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "elsewhere")
    assert "a link" in refusal(put(tmp_path / "a.zip", held.getvalue())).reason


@pytest.mark.parametrize(
    ("place", "value", "said"), [(6, 1, "encrypted"), (8, 12, "a way that is not read")]
)
def test_an_entry_that_cannot_be_opened_is_refused(
    tmp_path: Path, place: int, value: int, said: str
):
    data = bytearray(zipped({"a.json": b"[]"}))
    data[place] = value
    data[data.index(b"PK\x01\x02") + place + 2] = value
    assert said in refusal(put(tmp_path / "a.zip", bytes(data))).reason


def test_standard_input_larger_than_a_record_may_be_is_refused(monkeypatch):
    monkeypatch.setattr(unpack, "RECORD_BYTES_MAX", 100_000)
    (found,) = records(["-"], stdin=io.BytesIO(NOISE))
    assert "more than 100000 bytes" in found.reason


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_an_entry_named_twice_is_refused(tmp_path: Path):
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr("a.json", "[]")
        archive.writestr("a.json", "[1]")
    assert "twice" in refusal(put(tmp_path / "a.zip", held.getvalue())).reason


def test_an_archive_in_an_archive_is_known_by_its_bytes(tmp_path: Path):
    inner = gzip.compress(TEXT)
    assert "another packed" in refusal(put(tmp_path / "a.gz", gzip.compress(inner))).reason
    assert "another packed" in refusal(put(tmp_path / "a.zip", zipped({"a.json": inner}))).reason


def test_a_broken_member_refuses_the_members_before_it_too(tmp_path: Path):
    data = bytearray(zipped({"a.json": b"first", "b.json": b"second"}, deflated=False))
    data[data.index(b"second")] ^= 1
    assert "damaged" in refusal(put(tmp_path / "a.zip", bytes(data))).reason


def test_a_zip_file_that_is_cut_off_is_refused(tmp_path: Path):
    data = zipped({"a.json": NOISE})
    for kept in (30, len(data) // 2, len(data) - 3):
        assert "damaged" in refusal(put(tmp_path / "a.zip", data[:kept])).reason


def test_too_many_entries_are_refused(tmp_path: Path, monkeypatch):
    assert 100_000 == files.ZIP_ENTRIES_MAX
    monkeypatch.setattr(files, "ZIP_ENTRIES_MAX", 3)
    path = put(tmp_path / "a.zip", zipped({f"{n}.json": b"[]" for n in range(4)}))
    assert "more than 3 entries" in refusal(path).reason


def test_a_table_of_contents_too_large_is_refused_unread(tmp_path: Path):
    data = bytearray(zipped({"a.json": b"[]"}))
    at = data.rindex(b"PK\x05\x06")
    data[at + 12 : at + 16] = (1 << 30).to_bytes(4, "little")
    assert "entries" in refusal(put(tmp_path / "a.zip", bytes(data))).reason


def test_folders_are_walked_by_name_and_hidden_files_and_books_stay_shut(tmp_path: Path):
    put(tmp_path / "b.json", b"3")
    put(tmp_path / "a" / "z.json", b"2")
    put(tmp_path / "a" / "b.json", b"1")
    put(tmp_path / ".hidden.json", b"x")
    put(tmp_path / ".git" / "a.json", b"x")
    for ending in files.BOOK_ENDINGS:
        put(tmp_path / f"mine{ending}", b"x")
    (tmp_path / "a" / "up").symlink_to(tmp_path)
    assert [b"1", b"2", b"3"] == bodies(tmp_path)
    assert 3 == size_of([tmp_path])


def test_a_book_is_refused_without_being_opened(tmp_path: Path):
    book = put(tmp_path / "my.book", b"x")
    book.chmod(0)
    assert "it is a book" in refusal(book).reason


def test_a_file_to_be_kept_shut_is_passed_over_by_whatever_name(tmp_path: Path):
    book = put(tmp_path / "ledger.db", b"x")
    (tmp_path / "link.db").symlink_to(book)
    put(tmp_path / "a.json", b"1")
    assert [b"1"] == bodies(tmp_path, keep_shut=[book])
    assert 1 == size_of([tmp_path], keep_shut=[book])


def test_what_is_no_record_is_refused_by_name(tmp_path: Path):
    assert "no such file" in refusal(tmp_path / "missing.json").reason
    assert "spreadsheet" in refusal(put(tmp_path / "a.xlsx", zipped({"a.xml": b""}))).reason
    assert "database" in refusal(put(tmp_path / "a.db", b"SQLite format 3\0rest")).reason


def test_a_pipe_in_a_folder_is_not_waited_for(tmp_path: Path):
    os.mkfifo(tmp_path / "a.json")
    found = list(records([tmp_path]))
    assert ["it is no regular file"] == [item.reason for item in found]


def test_a_link_to_nothing_is_refused_by_name(tmp_path: Path):
    (tmp_path / "a.json").symlink_to(tmp_path / "gone.json")
    assert ["there is no such file"] == [item.reason for item in records([tmp_path])]


def test_one_refused_file_does_not_stop_the_next(tmp_path: Path):
    put(tmp_path / "a.gz", b"no")
    put(tmp_path / "b.json", b"1")
    assert [RefusedFile, RawRecord] == [type(item) for item in records([tmp_path])]


@pytest.mark.parametrize(
    "data", [TEXT, gzip.compress(TEXT), zipped({"a": TEXT})], ids=("plain", "gzip", "zip")
)
def test_standard_input_is_read_like_a_file(data: bytes):
    found = list(records(["-"], stdin=io.BytesIO(data)))
    assert [TEXT] == [item.body for item in found]
    assert found[0].name.startswith("standard input")


def test_without_standard_input_the_dash_is_refused():
    assert [RefusedFile] == [type(item) for item in records(["-"])]


def test_progress_adds_up_to_the_size_on_disk(tmp_path: Path):
    put(tmp_path / "a.json", NOISE)
    put(tmp_path / "b.gz", gzip.compress(NOISE))
    put(tmp_path / "c.lz4", lz4.frame.compress(NOISE))
    put(tmp_path / "d.zst", zstandard.compress(NOISE))
    put(tmp_path / "e.zip", zipped({"a": NOISE, "b": TEXT}))
    put(tmp_path / "f.json", b"")
    told: list[int] = []
    list(records([tmp_path], progress=told.append))
    assert size_of([tmp_path]) == sum(told)
    assert len(told) > 10


def test_a_name_that_is_no_text_is_shown_escaped(tmp_path: Path):
    put(tmp_path / os.fsdecode(b"a\xff.json"), b"1")
    (found,) = records([tmp_path])
    assert found.name.endswith("a\\xff.json")


@given(st.binary(max_size=400), st.sampled_from(["", *(magic for _, magic in unpack.MAGIC)]))
def test_arbitrary_bytes_are_a_record_or_a_refusal(data: bytes, head: bytes | str):
    whole = head + data if isinstance(head, bytes) else data
    found = list(records(["-"], stdin=io.BytesIO(whole)))
    assert all(isinstance(item, RawRecord | RefusedFile) for item in found)
    assert len(found) <= 1 or all(isinstance(item, RawRecord) for item in found)


@given(st.sampled_from(sorted(PACKERS)), st.integers(0, 10**6), st.integers(1, 255))
def test_a_damaged_file_never_raises(ending: str, place: int, change: int):
    data = bytearray(PACKERS[ending](TEXT))
    data[place % len(data)] ^= change
    (found,) = records(["-"], stdin=io.BytesIO(bytes(data)))
    assert isinstance(found, RawRecord | RefusedFile)
    if ending == "gz" and isinstance(found, RawRecord) and place % len(data) >= 10:
        # Below that place are the flags and the time of packing, which nothing protects.
        assert TEXT == found.body or bytes(data) == found.body


@given(st.integers(0, 10**6), st.integers(1, 255))
def test_a_damaged_zip_file_never_raises(place: int, change: int):
    data = bytearray(zipped({"a.json": TEXT, "b.json": NOISE[:500]}))
    data[place % len(data)] ^= change
    found = list(records(["-"], stdin=io.BytesIO(bytes(data))))
    assert all(isinstance(item, RawRecord | RefusedFile) for item in found)
