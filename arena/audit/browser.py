"""A browser that keeps everything it receives: headers in their order, bytes before decoding, times."""

from __future__ import annotations

from collections.abc import Mapping
from time import perf_counter
from types import TracebackType

import httpx

from .observed import Answer

TIMEOUT = 30.0


class Browser:
    """One voter's cookies and keep-alive connections. It follows no redirect. `bodies` stores equal bodies once."""

    def __init__(self, base_url: str, bodies: dict[bytes, bytes]) -> None:
        self.base_url = base_url.rstrip("/")
        self._http = httpx.Client(base_url=self.base_url, timeout=TIMEOUT, headers={"Accept-Encoding": "identity"})
        self._bodies = bodies
        self._answers: list[Answer] = []

    def __enter__(self) -> Browser:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def get(self, url: str, headers: Mapping[str, str] | None = None, method: str = "GET") -> Answer:
        return self._ask(self._http.build_request(method, url, headers=dict(headers or {})))

    def post(self, url: str, data: Mapping[str, str]) -> Answer:
        origin = {"Referer": f"{self.base_url}/", "Origin": self.base_url}
        return self._ask(self._http.build_request("POST", url, data=dict(data), headers=origin))

    def take_answers(self) -> tuple[Answer, ...]:
        """Everything received since this was last asked."""
        answers, self._answers = tuple(self._answers), []
        return answers

    def _ask(self, request: httpx.Request) -> Answer:
        started = perf_counter()
        response = self._http.send(request, stream=True)
        first = perf_counter() - started
        try:
            body = response.read()
        finally:
            response.close()
        answer = Answer(
            asked=f"{request.method} {request.url.path}",
            status=response.status_code,
            version=response.http_version,
            headers=tuple((key.decode("latin-1"), value.decode("latin-1")) for key, value in response.headers.raw),
            body=self._bodies.setdefault(body, body),
            first=first,
            whole=perf_counter() - started,
        )
        self._answers.append(answer)
        return answer
