"""A request that is not carried out, told in the form of every GraphQL error."""

from collections.abc import Mapping

import orjson
from cross_web import HTTPException
from starlette.responses import Response

from samplemind.domain.errors import DomainError, FileTooLarge
from samplemind.outages import RETRY_AFTER_SECONDS, unavailable

_CODES = {
    405: "METHOD_NOT_ALLOWED",
    406: "NOT_ACCEPTABLE",
    413: FileTooLarge.code,
    415: "UNSUPPORTED_MEDIA_TYPE",
}


class RequestError(HTTPException):
    """What is wrong with an HTTP request. The code follows from the status where none is given."""

    def __init__(
        self,
        status: int,
        message: str,
        code: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(status, message)
        self.code = code or _CODES.get(status, "BAD_REQUEST")
        self.headers = headers

    def response(self, media_type: str) -> Response:
        body = {"errors": [{"message": self.reason, "extensions": {"code": self.code}}]}
        return Response(orjson.dumps(body), self.status_code, self.headers, media_type)


def away(error: DomainError | None = None) -> RequestError:
    """A part that the request needs does not answer."""
    error = error or unavailable()
    headers = {"Retry-After": str(RETRY_AFTER_SECONDS)}
    return RequestError(503, error.message, error.code, headers)
