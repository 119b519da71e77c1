"""Errors as coded JSON: the same (app, code, values) everywhere, never a traceback."""

from __future__ import annotations

import logging
from typing import Any

import msgspec
from litestar import Request, Response
from litestar.exceptions import HTTPException

from tallystick.catalogue import Catalogue
from tallystick.errors import TallystickError
from tallystick.gateway.wire import JSON
from tallystick.ledger.refusal import Refused
from tallystick.ledger.refusals import Refusal
from tallystick.wording import values_in_words

log = logging.getLogger(__name__)

STATUS_OF = {
    Refusal.FAULT: 500,
    Refusal.TOO_LARGE: 413,
    Refusal.BUSY: 503,
    Refusal.NO_SUCH_RECORD: 404,
    Refusal.NO_SUCH_QUERY: 404,
    Refusal.NO_SUCH_TRANSACTION: 404,
    Refusal.NOT_HERE: 404,
    Refusal.NEEDS_INDEX: 422,
    Refusal.NOT_A_READER: 403,
}
"""HTTP status of the ledger's own codes; 400 for the others."""
STATUS_OF_APP = 422
"""HTTP status of an application's refusal of a read."""


class Absent(Refused):
    """There is no such record, or none that the asker may see: whatever its code, that is 404."""

    @classmethod
    def of(cls, no: Refused) -> Absent:
        """The record's own refusal."""
        return cls(no.code, no.values)


class Problems:
    """Turns whatever a route raises into an answer."""

    def __init__(self, catalogue: Catalogue) -> None:
        """Tell refusals in the catalogue's words."""
        self._catalogue = catalogue

    def handlers(self) -> dict[Any, Any]:
        """For Litestar: what to do with which kind of exception."""
        return {
            Refused: self._refused,
            HTTPException: self._http,
            TallystickError: self._operating,
            Exception: self._fault,
        }

    def told(self, no: Refused, status: int | None = None) -> Response[bytes]:
        """A refusal as an answer."""
        usual = STATUS_OF.get(no.code, 400) if isinstance(no.code, Refusal) else STATUS_OF_APP
        words = values_in_words(no.values)
        body = {
            "app": no.code.app,
            "code": no.code.number,
            "name": no.code.name,
            "values": no.values,
            "message": self._catalogue.sentence(no.code.app, no.code.number, words),
            "retry": no.code.retry,
        }
        return Response(
            msgspec.json.encode({"error": body}),
            status_code=status or usual,
            media_type=JSON,
        )

    def _refused(self, _: Request[Any, Any, Any], no: Refused) -> Response[bytes]:
        return self.told(no, 404 if isinstance(no, Absent) else None)

    def _http(self, request: Request[Any, Any, Any], problem: HTTPException) -> Response[bytes]:
        """What the framework itself turns away: no such path, no such method, a bad request."""
        if problem.status_code >= 500:
            return self._fault(request, problem)
        if problem.status_code == 404:
            no = Refused(Refusal.NO_SUCH_QUERY, {"path": request.scope["path"][:200]})
        else:
            no = Refused(Refusal.BAD_ARGUMENT, {"detail": problem.detail[:200]})
        return self.told(no, problem.status_code)

    def _operating(self, _: Request[Any, Any, Any], problem: TallystickError) -> Response[bytes]:
        """The disk or the node is in trouble: said in the log, not to strangers."""
        log.error("a request failed: %s", problem)
        return self.told(Refused(Refusal.BUSY, {"reason": type(problem).__name__}))

    def _fault(self, request: Request[Any, Any, Any], problem: Exception) -> Response[bytes]:
        """A bug of ours: the traceback goes to the log."""
        log.error("a bug in answering %s", request.scope["path"][:200], exc_info=problem)
        return self.told(Refused(Refusal.FAULT, {}))
