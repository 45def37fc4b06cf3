"""Signed links: who reads them, and what nobody reads."""

from datetime import timedelta

import jwt
import pytest

from samplemind.domain.errors import LinkExpired, LinkInvalid
from samplemind.domain.ids import now
from samplemind.links import LinkKind, Links, hour_from_now
from samplemind.signing import Signer

_LINKS = Links(Signer("s" * 32))
_SOON = now() + timedelta(hours=1)


_HEADERS = {"kid": jwt.get_unverified_header(Signer("s" * 32).sign("media", exp=_SOON))["kid"]}


def _token(path: str) -> str:
    return path.removeprefix("/media/")


def test_say_whose_they_are_and_what_for() -> None:
    token = _token(_LINKS.path(LinkKind.MEDIA, "ada", "1", _SOON))
    assert Links(Signer("s" * 32)).read(LinkKind.MEDIA, token) == ("ada", "1")


def test_are_for_one_thing_only() -> None:
    token = _token(_LINKS.path(LinkKind.MEDIA, "ada", "1", _SOON))
    with pytest.raises(LinkInvalid):
        _LINKS.read(LinkKind.UPLOADS, token)


def test_of_another_secret_are_none() -> None:
    token = _token(Links(Signer("t" * 32)).path(LinkKind.MEDIA, "ada", "1", _SOON))
    with pytest.raises(LinkInvalid):
        _LINKS.read(LinkKind.MEDIA, token)


def test_of_a_former_secret_are_read_and_of_an_unnamed_one_not() -> None:
    token = _token(Links(Signer("t" * 32)).path(LinkKind.MEDIA, "ada", "1", _SOON))
    assert Links(Signer("s" * 32, "t" * 32)).read(LinkKind.MEDIA, token) == ("ada", "1")
    claims = {"aud": "media", "sub": "ada", "id": "1", "exp": _SOON}
    named = jwt.get_unverified_header(token)["kid"]
    for headers in ({}, {"kid": "x"}, {"kid": named}):
        with pytest.raises(LinkInvalid):
            _LINKS.read(LinkKind.MEDIA, jwt.encode(claims, "s" * 32, "HS256", headers))


@pytest.mark.parametrize("algorithm", ["HS384", "HS512"])
def test_are_signed_in_one_way_only(algorithm: str) -> None:
    claims = {"aud": "media", "sub": "ada", "id": "1", "exp": _SOON}
    with pytest.raises(LinkInvalid):
        _LINKS.read(LinkKind.MEDIA, jwt.encode(claims, "s" * 32, algorithm, _HEADERS))


def test_without_a_signature_are_none() -> None:
    claims = {"aud": "media", "sub": "ada", "id": "1", "exp": _SOON}
    with pytest.raises(LinkInvalid):
        _LINKS.read(LinkKind.MEDIA, jwt.encode(claims, "", "none", _HEADERS))


@pytest.mark.parametrize("missing", ["aud", "sub", "id", "exp"])
def test_that_leave_something_out_are_none(missing: str) -> None:
    claims = {"aud": "media", "sub": "ada", "id": "1", "exp": _SOON}
    del claims[missing]
    with pytest.raises(LinkInvalid):
        _LINKS.read(LinkKind.MEDIA, jwt.encode(claims, "s" * 32, "HS256", _HEADERS))


def test_end() -> None:
    token = _token(_LINKS.path(LinkKind.MEDIA, "ada", "1", now() - timedelta(seconds=1)))
    with pytest.raises(LinkExpired):
        _LINKS.read(LinkKind.MEDIA, token)


def test_last_an_hour_at_least() -> None:
    left = hour_from_now() - now()
    assert timedelta(hours=1) - timedelta(seconds=1) < left <= timedelta(minutes=70)
    assert hour_from_now().timestamp() % 600 == 0
