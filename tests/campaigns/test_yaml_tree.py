"""YAML of campaigns: every text as it was written, with its place; what a campaign needs not is refused."""

import pytest

from streams.authoring.yaml_tree import MOST_BYTES, YamlError, yaml_tree
from streams.campaigns.language.tree import Entry, Fields, Items, Place, Scalar


def refused(data: bytes) -> tuple[int, int, str]:
    with pytest.raises(YamlError) as caught:
        yaml_tree(data)
    problem = caught.value.problem
    return problem.place.line, problem.place.column, problem.message


def test_scalars_are_the_texts_that_were_written() -> None:
    """Not 99.0, 1320, False, None, 2026-11-01 or 8, as YAML 1.1 has them."""
    tree = yaml_tree(b"[99.00, 22:00, no, 'null', 2026-11-01, 010, 1_000, 0x10, ~]")
    assert isinstance(tree, Items)
    assert [item.text for item in tree.items if isinstance(item, Scalar)] == [
        "99.00", "22:00", "no", "null", "2026-11-01", "010", "1_000", "0x10", "",
    ]  # fmt: skip


def test_everything_has_its_place() -> None:
    assert yaml_tree("# 茶\na:\n  - 茶\n  - {b: 'c'}\n".encode()) == Fields(
        (
            Entry(
                Scalar("a", Place(2, 1)),
                Items(
                    (
                        Scalar("茶", Place(3, 5)),
                        Fields(
                            (
                                Entry(
                                    Scalar("b", Place(4, 6)), Scalar("c", Place(4, 9), quoted=True)
                                ),
                            ),
                            Place(4, 5),
                        ),
                    ),
                    Place(3, 3),
                ),
            ),
        ),
        Place(2, 1),
    )


def test_nothing_is_not_the_empty_text() -> None:
    tree = yaml_tree(b"{a: , b: '', c: null, d: \"null\"}")
    assert isinstance(tree, Fields)
    assert [(each.value.text, each.value.quoted) for each in tree.entries] == [  # type: ignore[union-attr]
        ("", False), ("", True), ("", False), ("null", True),
    ]  # fmt: skip


def test_a_byte_order_mark_is_none_of_the_text() -> None:
    assert yaml_tree("a: b".encode("utf-8-sig")) == yaml_tree(b"a: b")


@pytest.mark.parametrize(
    ("data", "line", "column", "said"),
    [
        (b"a: 1\nb: >=3", 2, 5, 'needs quotes, as ">=3"'),
        (b"a: !=gold", 1, 4, 'begins with ! needs quotes, as "!=gold"'),
        (b"a: !!python/object:os.system x", 1, 4, "a tag"),
        (b"a: &x 1", 1, 4, "an anchor (&x)"),
        (b"a: *x", 1, 4, "an alias (*x)"),
        (b"a: 1\n---\nb: 2", 2, 1, "one campaign a file"),
        (b"a: [1, 2", 1, 9, "no YAML"),
        (b"a:\n\tb: 1", 2, 1, "indent by spaces, not by tabs"),
        (b"a: 5%\nb: %5", 2, 4, "needs quotes"),
        (b"a: {b: c?, d: 1}", 1, 9, "needs quotes, as"),
        (b"a: @b", 1, 4, "begins with @ needs quotes"),
        (b"? [a]\n: b", 1, 3, "a field's name is a word"),
        (b"", 1, 1, "an empty file"),
        (b"# nothing\n", 1, 1, "an empty file"),
        (b"a: \xff", 1, 4, "no UTF-8: byte 0xff"),
        (b"a: 1\nbc\xe8\x8c", 2, 3, "no UTF-8: byte 0xe8"),
        (b"a: 1\nb: \x07", 2, 4, "a character that YAML does not have"),
        (b"[" * 33, 1, 33, "more than 32 lists and fields"),
        (b"a" * (MOST_BYTES + 1), 1, 1, "at most 65,536"),
    ],
)
def test_what_a_campaign_does_not_need_is_refused(
    data: bytes, line: int, column: int, said: str
) -> None:
    at = refused(data)
    assert at[:2] == (line, column), at
    assert said in at[2]


def test_no_nesting_exhausts_a_stack() -> None:
    for data in (b"[" * 60_000, b"{a: " * 15_000, b"- " * 30_000, b"? " * 30_000):
        assert refused(data)[2]
