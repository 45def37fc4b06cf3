"""Access tokens: good until their time is over, also for who has seen them before."""

from datetime import timedelta

import pytest

from samplemind.auth import tokens
from samplemind.auth.tokens import ACCESS, Tokens
from samplemind.domain.errors import TokenExpired, Unauthenticated
from samplemind.domain.ids import now
from samplemind.signing import Signer


def test_are_over_in_their_time_though_they_were_read_before() -> None:
    ours = Tokens(Signer("s" * 32))
    token, expires_at = ours.access("ada", "1", now() - ACCESS + timedelta(seconds=5))
    for _ in range(2):
        assert ours.read_access(token).user_id == "ada"
    [verified] = ours._verified.values()
    assert abs(verified.expires_at - expires_at) < timedelta(seconds=1)
    old, _ = ours.access("ada", "1", now() - ACCESS - timedelta(seconds=5))
    ours._verified[old] = tokens.AccessClaims("ada", "1", now() - ACCESS, now())
    with pytest.raises(TokenExpired):
        ours.read_access(old)


def test_that_are_none_are_never_remembered() -> None:
    ours = Tokens(Signer("s" * 32))
    forged, _ = Tokens(Signer("t" * 32)).access("ada", "1", now())
    for token in (forged, "x.y.z", ours.refresh("1", 1, now())):
        with pytest.raises(Unauthenticated):
            ours.read_access(token)
    assert not ours._verified
