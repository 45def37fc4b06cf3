"""Ids, cursors and windows: what was made is read again, all else is a client's mistake."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from samplemind.domain.errors import BadUserInput
from samplemind.domain.paging import Page, Row, Window
from schema.ids import decode_id, decode_id_of, encode_id
from schema.paging import PageInfo, decode_cursor, encode_cursor, window

_TEXT = st.text(st.characters(exclude_categories=["Cs"]))


@given(st.from_regex(r"[A-Za-z]+", fullmatch=True), _TEXT.filter(lambda text: ":" not in text))
def test_an_id_is_read_again(type_name: str, id_: str) -> None:
    encoded = encode_id(type_name, id_)
    assert decode_id(encoded) == (type_name, id_)
    assert decode_id_of(type_name, encoded) == id_
    assert set(encoded) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


@given(st.text())
@example("")
@example("=")
@example("\ud800")
@example("é")
@example("QXVkaW9GaWxl")
@example("////")
@example("QTpiOmM")
def test_any_text_is_an_id_or_a_mistake(text: str) -> None:
    try:
        type_name, id_ = decode_id(text, ("input", "id"))
    except BadUserInput as error:
        assert error.field == ("input", "id")  # noqa: PT017
        error.message.encode()
    else:
        assert ":" not in type_name + id_


def test_an_id_of_something_else_is_a_mistake() -> None:
    with pytest.raises(BadUserInput, match="id of an AudioFile; a BatchJob is expected"):
        decode_id_of("BatchJob", encode_id("AudioFile", "1"))


@given(_TEXT)
@example("a\nb")
@example("\0")
def test_a_cursor_is_read_again_in_its_own_order(key: str) -> None:
    cursor = encode_cursor("files by name", key)
    assert decode_cursor("files by name", cursor, "after") == key
    with pytest.raises(BadUserInput, match="another list or order") as caught:
        decode_cursor("files", cursor, "after")
    assert caught.value.field == ("after",)


@given(st.text())
@example("")
@example("\ud800")
@example("YXVkaW8")
def test_any_text_is_a_cursor_or_a_mistake(text: str) -> None:
    try:
        assert isinstance(decode_cursor("files", text, "before"), str)
    except BadUserInput as error:
        assert error.field == ("before",)  # noqa: PT017


def test_a_window_is_what_its_arguments_say() -> None:
    cursor = encode_cursor("o", "k")
    assert window("o", None, None) == Window(50)
    assert window("o", 0, None) == Window(0)
    assert window("o", 7, cursor) == Window(7, after="k")
    assert window("o", None, None, 3, cursor) == Window(3, from_end=True, before="k")
    assert window("o", None, cursor, None, cursor) == Window(50, after="k", before="k")
    for size in (200, 201, 2**31 - 1):
        assert window("o", size, None).size == 200
        assert window("o", None, None, size).size == 200


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ((-1, None), "first"),
        ((None, None, -1), "last"),
        ((1, None, 1), "last"),
        ((1, "x"), "after"),
        ((1, ""), "after"),
        ((None, None, 1, "x"), "before"),
    ],
)
def test_a_window_that_means_nothing_is_a_mistake(arguments: tuple, field: str) -> None:
    with pytest.raises(BadUserInput) as caught:
        window("o", *arguments)
    assert caught.value.field == (field,)


def test_page_info_names_both_ends() -> None:
    info = PageInfo.of(Page([Row("a", 1), Row("b", 2)], has_next=True, has_previous=False), "o")
    assert info.start_cursor == encode_cursor("o", "a")
    assert info.end_cursor == encode_cursor("o", "b")
    assert (info.has_next_page, info.has_previous_page) == (True, False)
    empty = PageInfo.of(Page([], has_next=False, has_previous=False), "o")
    assert (empty.start_cursor, empty.end_cursor) == (None, None)
