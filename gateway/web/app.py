"""The web application: pages, their style sheet, and what happens when something goes wrong on the way."""

from collections.abc import Sequence
from http import HTTPStatus
from importlib.resources import files

from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse, Response
from starlette.exceptions import HTTPException
from starlette.staticfiles import StaticFiles

from gateway import __version__
from gateway.errors import GatewayError
from gateway.log import logger
from gateway.web import attachments, identification, liaison, officer, operations, pages, paper
from gateway.web.access import SECURITY_HEADERS, SecurityHeaders, SignIn, SignInNeeded
from gateway.web.api_keys import RefusedKeys
from gateway.web.gathering import Gathering
from gateway.web.handed_in import hand_in
from gateway.web.problems import api_status_of, problem, respond, sentence_of, status_of, title_of
from gateway.web.rendering import PRODUCT, Pages
from gateway.web.runtime import WebRuntime

_log = logger("web")


def _is_api(request: Request) -> bool:
    return request.url.path.startswith("/api/")


def _answer(request: Request, status: int, sentence: str, code: str, **place: str | int | None) -> Response:
    """Return the error as a page, or as problem+json below /api/ (RFC 9457). `place` is where in a document it lies."""
    if _is_api(request):
        return respond(status, problem(status, sentence, code, **place))
    rendered: Pages = request.app.state.pages
    return rendered.page(request, "error.html", {"title": title_of(status), "sentence": sentence, "code": code}, status=status)


def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, GatewayError)
    status = api_status_of(error) if _is_api(request) else status_of(error)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        _log.error("page.failed", code=error.code, status=int(status), method=request.method)
    return _answer(request, status, sentence_of(error), error.code, path=error.path, line=error.line)


def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    found = error.status_code == HTTPStatus.NOT_FOUND
    sentence = "Check the address, or start from your worklist." if found else "This page does not take this kind of request."
    return _answer(request, error.status_code, sentence, "not-found" if found else "refused")


def _odd_address(request: Request, error: Exception) -> Response:
    """Answer an id that is no id: on a page it is a page that is not there, not a lesson about numbers."""
    assert isinstance(error, RequestValidationError)
    if _is_api(request):
        places = ", ".join(".".join(str(step) for step in problem["loc"]) for problem in error.errors())
        return _answer(
            request, HTTPStatus.UNPROCESSABLE_ENTITY, f"These parts of the request do not fit: {places}.", "bad-value"
        )
    return _http(request, HTTPException(HTTPStatus.NOT_FOUND))


def _failed(request: Request, error: Exception) -> Response:
    # Only the kind of the error: its text may hold a person's data.
    _log.error("page.failed", code="internal-error", error_type=type(error).__name__, method=request.method)
    answer = _answer(request, HTTPStatus.INTERNAL_SERVER_ERROR, "Tell the operator the code below.", "internal-error")
    answer.headers.update({**SECURITY_HEADERS, "cache-control": "no-store"})  # this answer goes past the middleware
    return answer


def _sign_in_first(request: Request, _error: Exception) -> Response:
    wanted = request.url.path if request.method == "GET" else "/"
    return RedirectResponse("/sign-in" if wanted == "/" else f"/sign-in?next={wanted}", status_code=HTTPStatus.SEE_OTHER)


def create_app(runtime: WebRuntime, *, routers: Sequence[APIRouter] = ()) -> FastAPI:
    """Return the application. `routers` brings what is not a page: the REST API and the health checks."""
    app = FastAPI(title=PRODUCT, version=__version__, docs_url=None, redoc_url=None, openapi_url=None)
    app.state.runtime = runtime
    app.state.pages = Pages(runtime.evidence)
    app.state.sign_in = SignIn()
    app.state.refused_keys = RefusedKeys()
    app.state.gathering = Gathering(
        lambda batch: hand_in(batch, app.state.gateway, app.state.refused_keys), most=runtime.settings.batch
    )
    app.add_middleware(SecurityHeaders, secure=runtime.settings.secure_cookies)
    app.mount("/static", StaticFiles(directory=str(files("gateway.web") / "static")), name="static")
    for router in (
        pages.router,
        attachments.page,
        liaison.router,
        paper.router,
        officer.router,
        identification.router,
        operations.router,
        *routers,
    ):
        app.include_router(router)
    app.add_exception_handler(SignInNeeded, _sign_in_first)
    app.add_exception_handler(GatewayError, _refused)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _odd_address)
    app.add_exception_handler(Exception, _failed)
    return app
