"""The door: what strict JSON refuses, and that no number passes through a float."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import MalformedRecord
from ledger.importers import door


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        '{"a":1,"a":2}',
        '[{"a":{"b":1,"b":1}}]',
        "NaN",
        '{"px":Infinity}',
        "[-Infinity]",
        '"\\ud800"',
        '{"\\udc00":1}',
        '["\\ud83d no partner"]',
        "12345678901234567890",
        '{"oid":-12345678901234567890}',
        "[" * 33 + "]" * 33,
        '{"a":' * 40 + "1" + "}" * 40,
        "[" * 100_000,
        "\ufeff[]",
        "[1] [2]",
        '"\x00"',
        "[1,]",
        "{'a':1}",
    ],
)
def test_what_is_not_strict_json_is_refused(text: str):
    with pytest.raises(MalformedRecord):
        door.parse_json(text)


def test_the_deepest_nesting_allowed_is_thirty_two():
    assert door.parse_json("[" * 32 + "]" * 32)
    with pytest.raises(MalformedRecord, match="32 deep"):
        door.parse_json("[" * 33 + "]" * 33)


def test_brackets_inside_text_do_not_count_as_nesting():
    assert ["[" * 99] == door.parse_json(json.dumps(["[" * 99]))


def test_a_whole_pair_of_surrogates_is_one_character():
    assert "\U0001f600" == door.parse_json('"\\ud83d\\ude00"')


def test_whole_numbers_have_at_most_nineteen_digits():
    assert 9_999_999_999_999_999_999 == door.parse_json("9999999999999999999")
    assert -9_999_999_999_999_999_999 == door.parse_json("-9999999999999999999")


@pytest.mark.parametrize("text", ["0.1", "2.61e-06", "1e400", "-0.0", "1E5", "0.30000000000000004"])
def test_other_numbers_stay_the_characters_they_were_written_with(text: str):
    value = door.parse_json(text)
    assert isinstance(value, door.SourceNumber)
    assert text == str(value)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(10**18), 10**18) | st.text(),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
        max_leaves=30,
    )
)
def test_json_that_the_standard_library_writes_comes_back(value: object):
    assert value == door.parse_json(json.dumps(value))
    assert value == json.loads(door.as_text(door.parse_json(json.dumps(value)), whole=True))


@given(st.text(alphabet='[]{}",:0123456789.eE-+ntrufalsNIy \\ud8', max_size=80))
def test_no_text_raises_anything_but_a_malformed_record(text: str):
    try:
        door.parse_json(text)
    except MalformedRecord as error:
        assert str(error)  # noqa: PT017 - either outcome is allowed, another exception is not


def test_text_as_json_keeps_numbers_as_written_and_is_cut_at_500():
    value = door.parse_json('{"a":[1.50,2e-7,null,true,"x"]}')
    assert '{"a":[1.50,2e-7,null,true,"x"]}' == door.as_text(value)
    assert 500 == len(door.as_text(["x" * 600]))
    assert 604 == len(door.as_text(["x" * 600], whole=True))


ROW = {
    "px": "1.50",
    "whole": 3,
    "yes": True,
    "word": "Open Long",
    "none": None,
    "user": "0x" + "AB" * 20,
    "time": 1_700_000_000_000,
    "hash": "0x" + "AB" * 32,
    "source": door.SourceNumber("2.61e-06"),
}


def test_fields_are_read_by_their_type():
    assert Decimal("1.5") == door.decimal(ROW, "px")
    assert 3 == door.integer(ROW, "whole")
    assert door.flag(ROW, "yes") is True
    assert "Open Long" == door.text(ROW, "word")
    assert "0x" + "ab" * 20 == door.address(ROW, "user")
    assert 1_700_000_000_000 == door.millis(ROW)
    assert "0x" + "ab" * 32 == door.tx_hash(ROW)
    assert door.optional(door.text, ROW, "none") is None
    assert door.optional(door.text, ROW, "nowhere") is None
    assert "Open Long" == door.one_of(ROW, "word", ("Open Long",))


def test_a_number_of_a_wrapper_is_taken_from_its_own_characters():
    assert Decimal("0.00000261") == door.number(ROW, "source")
    assert Decimal(3) == door.number(ROW, "whole")
    assert Decimal("1.5") == door.number(ROW, "px")


READERS = [
    door.decimal,
    door.number,
    door.integer,
    door.flag,
    door.text,
    door.address,
    door.millis,
    door.tx_hash,
    door.required,
    lambda row, field: door.one_of(row, field, ("a", "b")),
]


@pytest.mark.parametrize("reader", READERS)
def test_a_missing_field_is_named(reader):
    with pytest.raises(MalformedRecord) as caught:
        reader(ROW, "nowhere")
    assert "nowhere" == caught.value.field
    assert "missing" in str(caught.value)


@pytest.mark.parametrize(
    ("reader", "value"),
    [
        (door.decimal, 1),
        (door.decimal, True),
        (door.decimal, "1e5"),
        (door.decimal, "NaN"),
        (door.decimal, "+1"),
        (door.decimal, "1,000"),
        (door.decimal, "\uff11"),
        (door.decimal, "0x10"),
        (door.decimal, ""),
        (door.decimal, " 1"),
        (door.decimal, "1\n"),
        (door.decimal, "1" * 32),
        (door.decimal, "0." + "1" * 31),
        (door.decimal, door.SourceNumber("1.5")),
        (door.decimal, []),
        (door.number, True),
        (door.number, "1e5"),
        (door.number, door.SourceNumber("1e400")),
        (door.number, None),
        (door.integer, True),
        (door.integer, "1"),
        (door.integer, door.SourceNumber("1.0")),
        (door.flag, 1),
        (door.flag, "true"),
        (door.text, 1),
        (door.text, "a\u202eb"),
        (door.text, "a\x07b"),
        (door.text, "a\u200bb"),
        (door.text, "a\nb"),
        (door.text, {}),
        (door.address, "0x" + "ab" * 19),
        (door.address, "0x" + "ab" * 20 + "\n"),
        (door.address, 5),
        (door.millis, -1),
        (door.millis, 10**15),
        (door.millis, "1700000000000"),
        (door.millis, True),
        (door.tx_hash, "0x"),
        (door.tx_hash, "ab"),
        (door.tx_hash, "0x" + "a" * 65),
        (door.tx_hash, 1),
        (lambda row, field: door.one_of(row, field, ("a",)), ["a"]),
        (lambda row, field: door.record(row[field]), []),
        (lambda row, field: door.array(row[field]), {}),
    ],
)
def test_a_field_of_another_form_is_refused(reader, value):
    with pytest.raises(MalformedRecord):
        reader({"field": value}, "field")


def test_a_family_of_joined_signs_is_a_name_people_have():
    name = "\U0001f468\u200d\U0001f469\u200d\U0001f466"
    assert name == door.text({"name": name}, "name")
