"""Names that people give: filenames and tags, made safe to store and to show."""

import re
import unicodedata
from collections.abc import Sequence

from samplemind.domain.errors import BadUserInput

_MAX_FILENAME = 200
_MAX_TAG = 60
_MAX_TAGS = 50


# Devices on Windows, whatever follows behind a dot.
_DEVICE = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)\s*(\.|$)", re.IGNORECASE)


def clean_filename(name: str) -> str:
    """The last part of a path, without control or direction characters, at most 200 characters,
    and no name of a device.

    >>> clean_filename("../../etc/pass\\u202ewd\\x00.wav")
    'passwd.wav'
    """
    name = re.split(r"[/\\]", name)[-1]
    # C: control, format, surrogate, private use and unassigned characters.
    name = "".join(char for char in name if unicodedata.category(char)[0] != "C")
    name = " ".join(unicodedata.normalize("NFC", name).split()).lstrip(". ")
    if _DEVICE.match(name):
        name = f"_{name}"
    if len(name) > _MAX_FILENAME:
        stem, dot, extension = name.rpartition(".")
        if not dot or len(extension) > 10:
            stem, dot, extension = name, "", ""
        name = (stem[: _MAX_FILENAME - len(extension) - len(dot)] + dot + extension).rstrip()
    return name or "untitled"


def clean_tags(tags: Sequence[str], field: tuple[str, ...]) -> tuple[str, ...]:
    """Trimmed, distinct, without blanks. Raises BadUserInput where they are too many or long."""
    cleaned = tuple(dict.fromkeys(filter(None, (" ".join(tag.split()) for tag in tags))))
    if len(cleaned) > _MAX_TAGS:
        raise BadUserInput(f"A file can have {_MAX_TAGS} tags at most.", field=field)
    for tag in cleaned:
        if len(tag) > _MAX_TAG or any(unicodedata.category(char)[0] == "C" for char in tag):
            message = f"A tag is {_MAX_TAG} characters at most, without control characters."
            raise BadUserInput(message, field=field)
    return cleaned
