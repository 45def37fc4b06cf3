"""GraphQL multipart requests (the specification by Jayden Seric): files among the variables."""

from collections.abc import Mapping
from typing import Any

import orjson
from cross_web import HTTPException
from starlette.datastructures import UploadFile


def read_multipart(form: Mapping[str, Any]) -> dict[str, Any]:
    """The operation with its files in place. Raises HTTPException 400 saying what is malformed."""
    operations = _json(form, "operations")
    if not isinstance(operations, dict):
        raise HTTPException(400, "`operations` must be a JSON object with a query.")
    files_map = _json(form, "map")
    if not isinstance(files_map, dict):
        raise HTTPException(400, "`map` must be a JSON object from part names to paths.")
    for name, paths in files_map.items():
        upload = form.get(name)
        if not isinstance(upload, UploadFile):
            raise HTTPException(400, f"`map` names the part {name!r}, which holds no file.")
        if not isinstance(paths, list):
            raise HTTPException(400, f"`map` must give a list of paths for {name!r}.")
        for path in paths:
            _put(operations, path, upload)
    return operations


def _json(form: Mapping[str, Any], name: str) -> Any:
    value = form.get(name)
    if not isinstance(value, str):
        raise HTTPException(400, f"The multipart request has no part `{name}` with JSON.")
    try:
        return orjson.loads(value)
    except orjson.JSONDecodeError:
        raise HTTPException(400, f"`{name}` is not valid JSON.") from None


def _put(operations: dict[str, Any], path: Any, upload: UploadFile) -> None:
    """Puts the file where a null stands in the variables."""
    keys = path.split(".") if isinstance(path, str) else []
    if len(keys) < 2 or keys[0] != "variables":
        raise HTTPException(400, f"`map` has {path!r}, which is not a path into the variables.")
    target: Any = operations
    try:
        for key in keys[:-1]:
            target = target[_step(target, key)]
        last = _step(target, keys[-1])
        taken = target[last] is not None
    except (KeyError, IndexError, TypeError, ValueError):
        raise HTTPException(400, f"`map` has {path!r}, which is not in `operations`.") from None
    if taken:
        raise HTTPException(400, f"The variable at {path!r} must be null, to take the file.")
    target[last] = upload


def _step(target: Any, key: str) -> Any:
    return int(key) if isinstance(target, list) else key
