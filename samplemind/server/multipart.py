"""GraphQL multipart requests (the specification by Jayden Seric): files among the variables."""

from typing import Any

from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from samplemind.server.errors import RequestError
from samplemind.server.parameters import checked, read_json

# `operations`, `map`, and a few that we ignore; the sounds of one request.
_MAX_FIELDS, _MAX_FILES = 10, 100


class _Parser(MultiPartParser):
    """Refuses a body that breaks off: Starlette would keep its file open, and not tell."""

    _has_ended = False

    def on_end(self) -> None:
        self._has_ended = True

    async def parse(self) -> FormData:
        form = await super().parse()
        if not self._has_ended:
            for file in self._files_to_close_on_error:
                file.close()
            raise MultiPartException("The multipart body ends before its last boundary.")
        return form


async def read_form(request: Request, max_part_bytes: int) -> FormData:
    """The parts of a body; files lie on disk until the request is closed. Raises RequestError."""
    parser = _Parser(
        request.headers,
        request.stream(),
        max_files=_MAX_FILES,
        max_fields=_MAX_FIELDS,
        max_part_size=max_part_bytes,
    )
    try:
        request._form = await parser.parse()
    except MultiPartException as error:
        raise RequestError(400, error.message) from None
    return request._form


def read_multipart(form: FormData) -> dict[str, Any]:
    """The operation with its files in place. Raises RequestError 400 saying what is malformed."""
    operations = checked(_json(form, "operations"), "`operations`")
    files_map = _json(form, "map")
    if not isinstance(files_map, dict):
        raise RequestError(400, "`map` must be a JSON object from part names to paths.")
    for name, paths in files_map.items():
        upload = _part(form, name)
        if not isinstance(upload, UploadFile):
            raise RequestError(400, f"`map` names the part {name!r}, which holds no file.")
        if not isinstance(paths, list):
            raise RequestError(400, f"`map` must give a list of paths for {name!r}.")
        for path in paths:
            _put(operations, path, upload)
    return operations


def _json(form: FormData, name: str) -> Any:
    value = _part(form, name)
    if not isinstance(value, str):
        raise RequestError(400, f"The multipart request has no part `{name}` with JSON.")
    return read_json(value, f"`{name}`")


def _part(form: FormData, name: str) -> UploadFile | str | None:
    found = form.getlist(name)
    if len(found) > 1:
        raise RequestError(400, f"The multipart request has several parts named {name!r}.")
    return found[0] if found else None


def _put(operations: dict[str, Any], path: Any, upload: UploadFile) -> None:
    """Puts the file where a null stands in the variables."""
    keys = path.split(".") if isinstance(path, str) else []
    if len(keys) < 2 or keys[0] != "variables":
        raise RequestError(400, f"`map` has {path!r}, which is not a path into the variables.")
    target: Any = operations
    try:
        for key in keys[:-1]:
            target = target[_step(target, key)]
        last = _step(target, keys[-1])
        taken = target[last] is not None
    except (KeyError, IndexError, TypeError, ValueError):
        raise RequestError(400, f"`map` has {path!r}, which is not in `operations`.") from None
    if taken:
        raise RequestError(400, f"The variable at {path!r} must be null, to take the file.")
    target[last] = upload


def _step(target: Any, key: str) -> Any:
    if not isinstance(target, list):
        return key
    if not key.isdecimal():
        raise ValueError(key)
    return int(key)
