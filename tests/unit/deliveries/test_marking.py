"""Marked files: what a buyer gets, and whose copy a leaked one is, after each attack that the page of leakage names."""

import csv
import io
from collections.abc import Callable
from random import Random

import pytest

from marketplace.deliveries import marking
from marketplace.errors import InvalidInputError

ASSET, ROWS = "0x" + "aa" * 32, 1_500
COLUMNS = [{"name": "delay", "step": "1"}, {"name": "speed", "step": "0.01"}]
DECLARED = {"mode": "FILE_DOWNLOAD", "keys": ["id"], "columns": COLUMNS}
COPIES = [marking.copy_of(b"s" * 32, ASSET, "0x" + f"{number:02x}" * 32, 1) for number in range(6)]
Table = list[dict[str, str]]


def original() -> bytes:
    random = Random(5)
    lines = [f"{i},{random.randint(-20, 90)},{random.randint(0, 90_000) / 100:.2f},city {i % 9}" for i in range(ROWS)]
    return "\n".join(["id,delay,speed,city", *lines]).encode()


def marked(number: int) -> bytes:
    return marking.mark(original(), DECLARED, COPIES[number])[0]


def read(content: bytes) -> Table:
    return list(csv.DictReader(io.StringIO(content.decode())))


def write(rows: Table) -> bytes:
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def named(content: bytes) -> list[int]:
    found = marking.trace(content, DECLARED, COPIES)
    return [number for number, verdict in enumerate(found) if verdict.accused]


def test_no_number_is_off_by_more_than_a_step_and_nothing_else_changes() -> None:
    before, after = read(original()), read(marked(0))
    assert marking.mark(original(), DECLARED, COPIES[0])[1] == 2 * ROWS
    for old, new in zip(before, after, strict=True):
        assert (old["id"], old["city"]) == (new["id"], new["city"])
        assert abs(int(old["delay"]) - int(new["delay"])) <= 1
        assert abs(round(float(old["speed"]) * 100) - round(float(new["speed"]) * 100)) <= 1
        assert new["speed"].count(".") == 1
        assert len(new["speed"].split(".")[1]) == 2


def test_copies_differ_and_the_same_copy_is_the_same() -> None:
    assert marked(0) == marked(0) != marked(1)


ATTACKS: dict[str, Callable[[Random, Table], Table]] = {
    "as it is": lambda _, rows: rows,
    "seven rows of eight deleted": lambda random, rows: [row for row in rows if random.random() < 0.125],
    "a block of rows alone": lambda _, rows: rows[700:1_100],
    "rows in another order": lambda random, rows: random.sample(rows, len(rows)),
    "one marked column dropped": lambda _, rows: [{k: v for k, v in row.items() if k != "speed"} for row in rows],
    "rows of others put in": lambda random, rows: [
        *rows,
        *({"id": f"x{i}", "delay": str(random.randint(0, 9)), "speed": "1.00", "city": ""} for i in range(ROWS)),
    ],
    "one number in five redrawn": lambda random, rows: [
        row | ({"delay": str(random.randint(-20, 90))} if random.random() < 0.4 else {}) for row in rows
    ],
    "rows twice": lambda _, rows: [*rows, *rows],
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_leaked_copy_names_its_buyer_alone(attack: str) -> None:
    leaked = write(ATTACKS[attack](Random(11), read(marked(3))))
    assert named(leaked) == [3]


MIXES: dict[str, Callable[[Random, str, str], str]] = {
    "one or the other": lambda random, one, other: random.choice([one, other]),
    "the larger": lambda _, one, other: max(one, other, key=float),
    "the middle": lambda random, one, other: format((float(one) + float(other)) / 2 + random.choice([0, 0.001]), ".2f"),
}


@pytest.mark.parametrize("mix", MIXES)
def test_two_buyers_who_mix_their_copies_are_named_and_nobody_else(mix: str) -> None:
    random = Random(13)
    rows = [
        one | {name: MIXES[mix](random, one[name], other[name]) for name in ("delay", "speed")}
        for one, other in zip(read(marked(2)), read(marked(5)), strict=True)
    ]
    found = named(write(rows))
    assert found
    assert set(found) <= {2, 5}
    assert mix != "one or the other" or found == [2, 5]


def test_half_the_rows_from_each_of_two_names_both() -> None:
    one, other = read(marked(2)), read(marked(5))
    assert named(write(one[: ROWS // 2] + other[ROWS // 2 :])) == [2, 5]


def test_nobody_is_named_by_the_original_or_where_all_marks_are_redrawn() -> None:
    """What the marks do not withstand: every number moved by a step or not, at random. Then nobody is accused."""
    random = Random(17)
    assert named(original()) == []
    redrawn = [
        row
        | {"delay": str(int(row["delay"]) + random.choice([0, 1]))}
        | {"speed": format(float(row["speed"]) + random.choice([0, 0.01]), ".2f")}
        for row in read(marked(3))
    ]
    assert named(write(redrawn)) == []


def test_ids_commit_to_the_secrets_of_a_copy() -> None:
    ids = {copy.fingerprint_id for copy in COPIES}
    assert len(ids) == len(COPIES)
    assert marking.copy_of(b"t" * 32, ASSET, "0x" + "00" * 32, 1).fingerprint_id not in ids
    assert marking.copy_of(b"s" * 32, ASSET, "0x" + "00" * 32, 2).fingerprint_id not in ids


@pytest.mark.parametrize(
    "content",
    [
        b"\xff\xfe",
        b"",
        b"id,delay\n1,2\n",
        b"id,delay,speed\n1,2\n",
        b"id,delay,speed,id\n1,2,3,4\n",
        b"id,delay,speed\n1,2,3\n",
        b"id,delay,speed\n" + b"".join(b"%d,1.5,1\n" % i for i in range(ROWS)),
    ],
)
def test_refuses_what_cannot_carry_marks(content: bytes) -> None:
    with pytest.raises(InvalidInputError, match="cannot be marked"):
        marking.mark(content, DECLARED, COPIES[0])


def test_a_trace_needs_the_keys() -> None:
    with pytest.raises(InvalidInputError, match="no id"):
        marking.trace(b"delay,speed\n1,2\n", DECLARED, COPIES)


def test_rows_that_the_keys_do_not_tell_apart_are_one_place() -> None:
    declared = {**DECLARED, "keys": ["city"]}
    with pytest.raises(InvalidInputError) as caught:
        marking.mark(original(), declared, COPIES[0])
    assert (caught.value.code, caught.value.got) == ("delivery_file", str(2 * 9))
