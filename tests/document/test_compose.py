"""YAML as Falco reads it, with the place of every character."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from falcokit.document import Document, Mapping, Node, Scalar, Sequence, YamlError, compose
from falcokit.document.offsets import offsets
from falcokit.source import SourceFile


def read(text: str) -> tuple[tuple[Document, ...], YamlError | None]:
    return compose(SourceFile("x.yaml", text))


def root(text: str) -> Node:
    documents, error = read(text)
    assert error is None
    assert documents[0].root is not None
    return documents[0].root


def scalar(text: str) -> Scalar:
    node = root(text)
    assert isinstance(node, Mapping)
    value = node.get("k")
    assert isinstance(value, Scalar)
    return value


WORDS = st.lists(st.from_regex(r"[a-zé%=()|>.,*]{1,6}", fullmatch=True), min_size=1, max_size=6)


@settings(max_examples=150, deadline=None)
@given(st.lists(WORDS, min_size=1, max_size=5), st.sampled_from(["|", ">", "|-", ">-", "|+", ">+"]), st.integers(1, 4))
def test_characters_of_block_scalars_stand_where_they_say(lines: list[list[str]], style: str, indent: int) -> None:
    text = f"k: {style}\n" + "".join(" " * indent + " ".join(words) + "\n" for words in lines)
    value = scalar(text)
    places = offsets(text, value)
    assert len(places) == len(value.value)
    for place, character in zip(places, value.value, strict=True):
        assert text[place] == character or (text[place] == "\n" and character == " ")


@settings(max_examples=150, deadline=None)
@given(st.lists(WORDS, min_size=1, max_size=4), st.sampled_from(["'", '"']))
def test_characters_of_quoted_scalars_stand_where_they_say(lines: list[list[str]], quote: str) -> None:
    text = f"k: {quote}" + "\n  ".join(" ".join(words) for words in lines) + f"{quote}\n"
    value = scalar(text)
    places = offsets(text, value)
    assert value.value == " ".join(" ".join(words) for words in lines)
    for place, character in zip(places, value.value, strict=True):
        assert text[place] == character or (text[place] == "\n" and character == " ")


def test_escapes_and_doubled_quotes_stand_at_their_beginning() -> None:
    text = r'k: "a\tb\x41é"' + "\n"
    assert [text[place] for place in offsets(text, scalar(text))] == ["a", "\\", "b", "\\", "é"]
    text = "k: 'it''s'\n"
    assert scalar(text).value == "it's"
    assert [text[place] for place in offsets(text, scalar(text))] == list("it's")


@settings(max_examples=300, deadline=None)
@given(
    st.one_of(st.text(max_size=80), st.lists(st.sampled_from(list("-:{}[],\"'|>&*!% \n#ax~\t\0\x85\r"))).map("".join))
)
def test_any_text_is_read_or_refused_inside_itself(text: str) -> None:
    documents, error = read(text)
    if error is not None:
        assert 0 <= error.offset <= len(text)
        assert error.message
    for document in documents:
        pending = [document.root]
        while pending:
            node = pending.pop()
            if node is None:
                continue
            assert 0 <= node.start <= len(text)
            if isinstance(node, Sequence):
                pending += node.items
            elif isinstance(node, Mapping):
                pending += [part for pair in node.pairs for part in pair]
            else:
                assert len(offsets(text, node)) in (0, len(node.value))


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("- [a, , b]\n", ["a", None, "b"]),
        ("- [a, b,]\n", ["a", "b"]),
        ("- [~, null, Null, NULL, nULL, 'null', !!str null]\n", [None, None, None, None, "nULL", "null", "null"]),
        ("- [1.50, 0x1F, yes, 007]\n", ["1.50", "0x1F", "yes", "007"]),
        ("- [a\x01b, c\x85d, e\u2028f]\n", ["a\x01b", "c\x85d", "e\u2028f"]),
        ("\ufeff- [a]\r\n", ["a"]),
        ('- ["open\n', ["open "]),
    ],
)  # fmt: skip
def test_scalars_as_falco_reads_them(text: str, values: list[str | None]) -> None:
    if text.endswith("open\n"):
        _, error = read(text)
        assert error is not None  # the quote is closed at the end, the bracket is not
        return
    node = root(text)
    assert isinstance(node, Sequence)
    inner = node.items[0]
    assert isinstance(inner, Sequence)
    assert [None if item.null else item.value for item in inner.items if isinstance(item, Scalar)] == values


def test_an_unterminated_double_quote_ends_with_the_file() -> None:
    node = scalar('k: "abc\n')
    assert node.value.strip() == "abc"


def test_the_first_of_duplicate_keys_counts() -> None:
    assert scalar("k: a\nk: b\n").value == "a"


def test_nesting_is_limited_as_in_falco() -> None:
    assert read("[" * 500 + "]" * 500)[1] is None
    error = read("[" * 501 + "]" * 501)[1]
    assert error is not None
    assert "500" in error.message
    assert read("[" * 200_000)[1] is not None


def test_aliases_share_their_node_and_do_not_reach_into_themselves() -> None:
    node = root("- &a [x]\n- *a\n")
    assert isinstance(node, Sequence)
    assert node.items[0] is node.items[1]
    assert read("- &a [*a]\n")[1] is not None
    assert read("- &a [x]\n---\n- *a\n")[1] is not None


def test_characters_of_private_planes_survive_beside_hidden_ones() -> None:
    text = "k: a\U000f0001b\x85c\U000f0085d\U0010fffde\n"
    assert scalar(text).value == "a\U000f0001b\x85c\U000f0085d\U0010fffde"


def test_anchors_and_tags_that_only_falco_reads() -> None:
    node = root("- &a.b x\n- *a.b\n- !e!t y\n- &a.b z\n- *a.b\n")
    assert isinstance(node, Sequence)
    assert [item.value for item in node.items if isinstance(item, Scalar)] == ["x", "x", "y", "z", "z"]
    error = read("- k: *%proc.name\n")[1]
    assert error is not None
    assert (error.falco_offset, "*%proc.name" in error.message) == (5, True)
