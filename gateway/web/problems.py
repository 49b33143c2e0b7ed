"""How an error becomes a status and a problem document (RFC 9457), for the pages and for the API alike."""

from http import HTTPStatus
from typing import Any

from fastapi.responses import JSONResponse

from gateway.errors import Erased, GatewayError, Misconfigured, NotFound, NotPermitted, NotSignedIn, TooLarge, Unavailable
from gateway.web.answers import Problem

MEDIA_TYPE = "application/problem+json"

_STATUS: tuple[tuple[type[GatewayError], HTTPStatus], ...] = (
    (NotFound, HTTPStatus.NOT_FOUND),
    (Erased, HTTPStatus.GONE),
    (NotSignedIn, HTTPStatus.UNAUTHORIZED),
    (NotPermitted, HTTPStatus.FORBIDDEN),
    (TooLarge, HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
    (Unavailable, HTTPStatus.SERVICE_UNAVAILABLE),
    (Misconfigured, HTTPStatus.INTERNAL_SERVER_ERROR),
)

_TITLES = {
    HTTPStatus.NOT_FOUND: "Page not found",
    HTTPStatus.GONE: "Erased",
    HTTPStatus.FORBIDDEN: "You cannot do this",
    HTTPStatus.METHOD_NOT_ALLOWED: "You cannot do this",
    HTTPStatus.SERVICE_UNAVAILABLE: "Not available at the moment",
    HTTPStatus.INTERNAL_SERVER_ERROR: "Something is wrong with this installation",
}

# Headers that HTTP asks for beside a status (RFC 9110, 10.2.3 and 11.6.1); what is away is tried again after this many seconds.
_WANTED = {
    HTTPStatus.UNAUTHORIZED: {"WWW-Authenticate": "Bearer"},
    HTTPStatus.SERVICE_UNAVAILABLE: {"Retry-After": "60"},
}


def problem_responses() -> dict[int | str, dict[str, Any]]:
    """Return what the OpenAPI document says of the errors that any call of the API may end with."""
    return {
        status: {"model": Problem, "content": {MEDIA_TYPE: {}}, "description": text}
        for status, text in (
            (401, "No valid API key"),
            (403, "The key lacks the scope"),
            (404, "Not there, or another authority's"),
            (422, "Refused: the message is at fault"),
            (503, "Something outside is at fault; try again"),
        )
    }


def status_of(error: GatewayError) -> HTTPStatus:
    """Return the HTTP status of an error on a page."""
    if type(error) is GatewayError:  # a defect
        return HTTPStatus.INTERNAL_SERVER_ERROR
    return next((status for kind, status in _STATUS if isinstance(error, kind)), HTTPStatus.BAD_REQUEST)


def api_status_of(error: GatewayError) -> HTTPStatus:
    """Return the HTTP status of an error of the API: the request was understood; what it brought may be at fault."""
    status = status_of(error)
    return HTTPStatus.UNPROCESSABLE_ENTITY if status is HTTPStatus.BAD_REQUEST else status


def title_of(status: int) -> str:
    """Return a few words for a status."""
    return _TITLES.get(HTTPStatus(status), "This did not work")


def sentence_of(error: GatewayError) -> str:
    """Return the sentence for the reader. What this installation did wrong is for the log; the reader gets the code."""
    if status_of(error) is HTTPStatus.INTERNAL_SERVER_ERROR:
        return "Tell the operator the code below."
    return as_sentence(error.message)


def as_sentence(message: str) -> str:
    """Return an error's words with a capital and a full stop."""
    return f"{message[:1].upper()}{message[1:]}."


def problem(status: int, sentence: str, code: str, **place: str | int | None) -> dict[str, Any]:
    """Return the problem document. `place` is where in a document it lies: `path`, `line`."""
    known = {name: value for name, value in place.items() if value is not None}
    return {
        "type": "about:blank",
        "title": title_of(status),
        "status": int(status),
        "detail": sentence,
        "code": code,
        **known,
    }


def problem_of(error: GatewayError) -> tuple[int, dict[str, Any]]:
    """Return status and problem document of an error of the API."""
    status = api_status_of(error)
    return status, problem(status, sentence_of(error), error.code, path=error.path, line=error.line)


def respond(status: int, document: dict[str, Any]) -> JSONResponse:
    """Return the response that carries a problem document."""
    return JSONResponse(document, status_code=status, media_type=MEDIA_TYPE, headers=_WANTED.get(HTTPStatus(status)))
