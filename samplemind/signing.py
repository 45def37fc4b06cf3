"""Claims signed with the secret that all API processes share (JWT, RFC 7519)."""

import hashlib
from typing import Any

import jwt

_ALGORITHM = "HS256"


class Signer:
    """Signs with the secret; reads what was signed with it or with a former one.

    The header's `kid` says which: so a secret can be replaced without ending what is out.
    """

    def __init__(self, secret: str, *former: str) -> None:
        self._secret, self._kid = secret, _kid(secret)
        self._known = {_kid(each): each for each in (secret, *former)}

    def sign(self, audience: str, **claims: Any) -> str:
        """The same claims give the same token. `audience` is what it is for."""
        named = {"aud": audience, **claims}
        return jwt.encode(named, self._secret, _ALGORITHM, headers={"kid": self._kid})

    def read(self, audience: str, token: str, *required: str) -> dict[str, Any]:
        """The claims. Raises jwt.ExpiredSignatureError, and jwt.InvalidTokenError for what was not
        signed here and for this audience."""
        kid = jwt.get_unverified_header(token).get("kid")
        if kid not in self._known:
            raise jwt.InvalidTokenError
        options: Any = {"require": ["exp", *required]}
        return jwt.decode(token, self._known[kid], [_ALGORITHM], audience=audience, options=options)


def _kid(secret: str) -> str:
    """A name for the secret that does not tell it."""
    return hashlib.sha256(b"kid:" + secret.encode()).hexdigest()[:12]
