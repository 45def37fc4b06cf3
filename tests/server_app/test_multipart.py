"""GraphQL multipart requests: files in their places, and an answer for what is malformed."""

import io
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.datastructures import FormData, UploadFile

from samplemind.server.errors import RequestError
from samplemind.server.multipart import read_multipart

_OPERATIONS: dict[str, Any] = {
    "query": "mutation",
    "variables": {"a": None, "b": [None, {"c": None}]},
}


def _upload() -> UploadFile:
    return UploadFile(io.BytesIO(b"sound"), filename="kick.wav")


def _form(operations: Any = _OPERATIONS, map_: Any = None, **parts: Any) -> FormData:
    return FormData({"operations": json.dumps(operations), "map": json.dumps(map_), **parts})


def test_files_are_put_where_the_map_says() -> None:
    first, second = _upload(), _upload()
    map_ = {"0": ["variables.a", "variables.b.1.c"], "1": ["variables.b.0"]}
    read = read_multipart(_form(map_=map_, **{"0": first, "1": second}))
    assert read["variables"] == {"a": first, "b": [second, {"c": first}]}
    assert read["query"] == "mutation"


@pytest.mark.parametrize("operations", [None, 1, "text", [], [_OPERATIONS], True])
def test_operations_are_an_object(operations: Any) -> None:
    _refused(_form(operations, {}), "operations")


@pytest.mark.parametrize("map_", [None, 1, "text", [], ["variables.a"]])
def test_the_map_is_an_object(map_: Any) -> None:
    _refused(_form(map_=map_), "map")


@pytest.mark.parametrize(
    "paths", [None, "variables.a", 1, {}, [None], [1], [[]], ["a"], [""], ["variables"], ["query"]]
)
def test_paths_lead_into_the_variables(paths: Any) -> None:
    _refused(_form(map_={"0": paths}, **{"0": _upload()}), "map")


@pytest.mark.parametrize(
    "path",
    [
        "variables.x",
        "variables.a.b",
        "variables.b",
        "variables.b.2",
        "variables.b.-1",
        "variables.b.-2",
        "variables.b.+0",
        "variables.b. 0",
        "variables.b.x",
        "variables.b.0.c",
        "variables.b.1",
        "variables.b.1.x",
        "variables.b." + "9" * 5_000,
        "variables.",
        "variables..",
    ],
)
def test_a_path_ends_at_a_null(path: str) -> None:
    _refused(_form(map_={"0": [path]}, **{"0": _upload()}), repr(path))


@pytest.mark.parametrize("variables", [None, [], "text", 1])
def test_variables_are_an_object(variables: Any) -> None:
    operations = {"query": "mutation", "variables": variables}
    _refused(_form(operations, {"0": ["variables.a"]}, **{"0": _upload()}), "variables")


@pytest.mark.parametrize("name", ["operations", "map", "0"])
def test_no_part_comes_twice(name: str) -> None:
    form = _form(map_={"0": ["variables.a"]}, **{"0": _upload()})
    _refused(FormData([*form.multi_items(), (name, form[name])]), repr(name))


def test_a_file_may_have_several_places_but_a_place_one_file() -> None:
    upload = _upload()
    read = read_multipart(_form(map_={"0": ["variables.a", "variables.b.0"]}, **{"0": upload}))
    assert read["variables"] == {"a": upload, "b": [upload, {"c": None}]}
    map_ = {"0": ["variables.a"], "1": ["variables.a"]}
    _refused(_form(map_=map_, **{"0": upload, "1": _upload()}), "variables.a")
    _refused(_form(map_={"0": ["variables.a", "variables.a.file"]}, **{"0": upload}), "a.file")


def test_the_parts_are_there_and_hold_what_they_should() -> None:
    _refused(FormData(), "operations")
    _refused(FormData(operations="{}"), "map")
    _refused(FormData(operations="{", map="{}"), "operations")
    _refused(FormData(operations="{}", map="nul"), "map")
    _refused(FormData(operations=_upload(), map="{}"), "operations")
    _refused(_form(map_={"0": ["variables.a"]}), "'0'")
    _refused(_form(map_={"0": ["variables.a"]}, **{"0": "text"}), "'0'")


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=8,
)


@settings(max_examples=50, suppress_health_check=[HealthCheck.too_slow])
@given(_JSON, _JSON | st.fixed_dictionaries({"0": _JSON | st.lists(st.text(max_size=20))}))
def test_any_form_is_read_or_refused(operations: Any, map_: Any) -> None:
    try:
        assert isinstance(read_multipart(_form(operations, map_, **{"0": _upload()})), dict)
    except RequestError as error:
        assert error.status_code == 400  # noqa: PT017


def _refused(form: FormData, said: str) -> None:
    with pytest.raises(RequestError) as caught:
        read_multipart(form)
    assert caught.value.status_code == 400
    assert said in caught.value.reason
