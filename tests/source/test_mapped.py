"""Texts made of pieces know where their characters came from."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from falcokit.source import MappedText, SourceFile, Span

FILE = SourceFile("x", "the quick brown fox jumps over the lazy dog")


def piece(start: int, end: int) -> MappedText:
    return MappedText.written(FILE.text[start:end], lambda a, b: Span(FILE, start + a, start + b))


RANGES = st.tuples(st.integers(0, 43), st.integers(0, 43)).map(lambda pair: (min(pair), max(pair)))
TEXTS = st.lists(st.one_of(RANGES.map(lambda r: piece(*r)), st.text(max_size=4).map(MappedText.made_up)), max_size=6)


@given(TEXTS)
def test_every_placed_character_is_found_again(parts: list[MappedText]) -> None:
    text = MappedText.made_up("")
    for part in parts:
        text = text + part
    assert str(text) == "".join(map(str, parts))
    at = 0
    for part in parts:
        for number, character in enumerate(part.text):
            placed = part.locate(number, number + 1)
            if placed is not None:
                found = text.locate(at + number, at + number + 1)
                assert found is not None
                assert found.text == character
        at += len(part)


@given(TEXTS, st.integers(0, 60), st.integers(0, 60))
def test_a_slice_keeps_places(parts: list[MappedText], start: int, end: int) -> None:
    text = MappedText.made_up("")
    for part in parts:
        text = text + part
    cut = text[start:end]
    assert cut.text == text.text[start:end]
    for number in range(len(cut)):
        if any(ord(c) > 127 for c in cut.text):
            break
        found = cut.locate(number, number + 1)
        whole = text.locate(start + number, start + number + 1)
        if found is not None and found.start < found.end:
            assert found == whole


@given(st.text(max_size=40), st.integers(0, 40))
def test_lines_and_columns(text: str, offset: int) -> None:
    file = SourceFile("x", text)
    offset = min(offset, len(text))
    line, column = file.line_column(offset)
    assert 0 <= line < file.line_count
    assert column >= 0
    assert "\n" not in file.line(line)
    if column < len(file.line(line)):
        assert file.line(line)[column] == text[offset]
