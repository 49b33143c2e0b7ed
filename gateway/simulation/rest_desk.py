"""A national system that is connected by the REST API, with the standard library's own HTTP client."""

import json
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import urlsplit

from gateway.errors import Unavailable
from gateway.simulation.desk import Delivered

SECONDS = 30.0


class RestDesk:
    """Calls the API of a gateway at `url` with an API key of its authority."""

    def __init__(self, url: str, key: str) -> None:
        self._place = urlsplit(url)
        self._key = key

    def fetch(self) -> list[Delivered]:
        """Read and acknowledge what waits in the inbox."""
        found = []
        for line in self._json("GET", "/api/v1/inbox")["messages"]:
            _, body = self._call("GET", f"/api/v1/inbox/{line['id']}")
            self._call("POST", f"/api/v1/inbox/{line['id']}/ack")
            found.append(Delivered(message_id=line["message_id"], type=line["type"], body=body))
        return found

    def hand_in(self, body: bytes) -> Mapping[str, Any]:
        """Post a document; a refusal is an answer too."""
        status, answer = self._call("POST", "/api/v1/messages", body)
        told: dict[str, Any] = json.loads(answer)
        return told if status < 400 else {"outcome": "refused", **told}  # noqa: PLR2004  # statuses of problems

    def _json(self, method: str, path: str) -> Any:
        status, answer = self._call(method, path)
        if status != 200:  # noqa: PLR2004
            raise Unavailable(f"the API answers {path} with {status}")
        return json.loads(answer)

    def _call(self, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
        connection = HTTPConnection(self._place.hostname or "", self._place.port, timeout=SECONDS)
        headers = {"Authorization": f"Bearer {self._key}"}
        if body is not None:
            headers["Content-Type"] = "application/json" if body.lstrip()[:1] in {b"{", b"["} else "application/xml"
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        except (OSError, HTTPException) as error:
            raise Unavailable(f"the API cannot be reached: {type(error).__name__}") from error
        finally:
            connection.close()
