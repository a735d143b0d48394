"""Asking the servers of the archived month at fixed instants."""

import re
import time
from collections.abc import Mapping
from typing import Any

import numpy as np
import requests

from monlab import web
from monlab.endpoints import service_url
from monlab.grading import cache
from monlab.grading.instants import Instants, month
from monlab.grading.results import Outcome, Refusal, lines, result
from monlab.problem import LabProblem
from monlab.settings import settings
from monlab.telemetry.errors import pointed
from monlab.telemetry.parsing import UNPACKED, parsed

SERVER_SECONDS = 10  # what the server may spend on one question
WAIT_SECONDS = 15  # and the longest wait for its answer
MOST_SERIES = 2000
MOST_LINES = 5000
FINGERPRINT_SECONDS = 600
FINGERPRINT_INSTANTS = 4  # a range query would read the whole month
METRICS, LOGS = "archive-prometheus", "archive-loki"
LOKI_PLACE = re.compile(r"parse error at line (\d+), col (\d+): ")
PROFILES = {METRICS: "month", LOGS: "month-logs"}


class Archive:
    """One server of the month. Its refusals are outcomes; its absence is a LabProblem."""

    service = METRICS
    server = "Prometheus"
    path = "/api/v1/query_range"

    def __init__(self) -> None:
        self._known: dict[str, tuple[float, str]] = {}  # URL -> when it was read, fingerprint

    def ask(self, query: str, instants: Instants) -> Outcome:
        """What a query comes to at these instants: one request a stretch."""
        answers = []
        for stretch in instants.stretches:
            span = {"start": stretch.start, "end": stretch.end, "step": stretch.step}
            answer = self._post(self.path, {"query": query, **span, **self.bounds})
            if isinstance(answer, str):
                return self.refusal(query, answer)
            answers.append(answer["data"])
        return self.outcome(query, answers, instants)

    def outcome(self, query: str, answers: list[dict[str, Any]], instants: Instants) -> Outcome:
        """Answers as arrays; a Refusal for what is no numbers, or too many of them."""
        series = [one for answer in answers for one in answer["result"]]
        if any(len(answer["result"]) >= MOST_SERIES for answer in answers):
            return self.refusal(query, f"more than {MOST_SERIES:,} series came back")
        if any("histograms" in one for one in series):
            return self.refusal(
                query, "it gives native histograms. Take a number out of them: histogram_quantile, histogram_count, histogram_sum"
            )
        return result([answer["result"] for answer in answers], instants)

    def kept(self, query: str, instants: Instants) -> Outcome:
        """The same from the cache, for queries that are asked again and again."""
        key = f"{self.service} {self.fingerprint()} {instants.stretches} {query}"
        return cache.outcome(key, lambda: self.ask(query, instants))

    def refusal(self, query: str, message: str) -> Refusal:
        if "timed out" in message or "timeout" in message:
            return Refusal(
                "timeout",
                f"{self.server} gave up on your query after {SERVER_SECONDS} s. Ask for fewer series or a shorter range.",
            )
        if "too many samples" in message:
            return Refusal(
                "too many samples",
                f"Your query needs more samples than {self.server} may load at once. Ask for fewer series or a shorter range.",
            )
        return Refusal(message, f"{self.server} refused your query: {pointed(query, message)}")

    @property
    def bounds(self) -> dict[str, Any]:
        return {"timeout": f"{SERVER_SECONDS}s", "limit": MOST_SERIES}

    def type_of(self, query: str) -> str:
        """scalar, vector, string or matrix: what an instant query of it is, at a time without samples."""
        answer = self._post("/api/v1/query", {"query": query, "time": 0, **self.bounds})
        return "" if isinstance(answer, str) else str(answer["data"]["resultType"])

    def fingerprint(self) -> str:
        """Tells one content of the archive from another, whoever runs it: a few sums over all series."""
        url = self.url
        read, known = self._known.get(url, (0.0, ""))
        if not known or time.monotonic() - read > FINGERPRINT_SECONDS:
            known = self.contents()
            self._known[url] = (time.monotonic(), known)
        return known

    def contents(self) -> str:
        """What the fingerprint is made of. Raises LabProblem when the server holds no month."""
        days = np.linspace(month.start + 7260, month.end, FINGERPRINT_INSTANTS).tolist()
        answers = [self._post("/api/v1/query", {"query": 'sum by (__name__) ({__name__=~".+"})', "time": day}) for day in days]
        if any(isinstance(answer, str) or not answer["data"]["result"] for answer in answers):
            raise LabProblem(f"{self.service} at {web.shown(self.url)} holds nothing of the archived month. {self.remedy}")
        return cache.digest(answers)

    @property
    def url(self) -> str:
        try:
            return service_url(settings(), self.service)
        except LabProblem as problem:
            raise LabProblem(f"{self.service} is not up. {self.remedy}") from problem

    @property
    def remedy(self) -> str:
        profile = PROFILES[self.service]
        return f'Run `stack.up("{profile}")` (in a terminal: `./lab up {profile}`), then the same again.'

    def _post(self, path: str, parameters: Mapping[str, Any]) -> dict[str, Any] | str:
        """The parsed answer, or the server's words when it refuses. Raises LabProblem for a server in trouble."""
        url = self.url
        headers = UNPACKED if web.is_loopback(url) else {}
        try:
            answer = web.post(f"{url}{path}", WAIT_SECONDS, data=parameters, headers=headers)
        except web.FAULTS as error:
            raise LabProblem(f"{self.service} does not answer at {web.shown(url)}. {self.remedy}") from error
        return self.understood(answer)

    def understood(self, answer: requests.Response) -> dict[str, Any] | str:
        try:
            body = parsed(answer)
        except ValueError:
            raise self.trouble(answer) from None
        if body.get("status") == "success":
            return dict(body)
        if body.get("errorType") in ("internal", "unavailable"):
            raise self.trouble(answer)
        return str(body.get("error", ""))

    def trouble(self, answer: requests.Response) -> LabProblem:
        return LabProblem(
            f"{self.service} at {web.shown(self.url)} answered {answer.status_code}: {answer.text[:200].strip()} {self.remedy}"
        )


class LogArchive(Archive):
    """The month's log lines."""

    service = LOGS
    server = "Loki"
    path = "/loki/api/v1/query_range"

    @property
    def bounds(self) -> dict[str, Any]:
        return {"limit": MOST_LINES}

    def type_of(self, query: str) -> str:
        return ""  # Loki has no scalars in series' clothes: a bare number is refused

    def outcome(self, query: str, answers: list[dict[str, Any]], instants: Instants) -> Outcome:
        if any(answer["resultType"] == "streams" for answer in answers):
            found = [value for answer in answers for stream in answer["result"] for value in stream["values"]]
            if len(found) >= MOST_LINES:
                return self.refusal(query, f"more than {MOST_LINES:,} lines came back")
            return lines(found)
        return super().outcome(query, answers, instants)

    def refusal(self, query: str, message: str) -> Refusal:
        if "context deadline exceeded" in message:
            message = "timed out"
        return super().refusal(query, LOKI_PLACE.sub(r"\1:\2: parse error: ", message).strip())

    def contents(self) -> str:
        parameters = {"query": '{service=~".+"}', "start": int(month.start), "end": int(month.end)}
        answer = self._post("/loki/api/v1/index/stats", parameters)
        if isinstance(answer, str) or not answer.get("entries"):
            raise LabProblem(f"{self.service} at {web.shown(self.url)} holds nothing of the archived month. {self.remedy}")
        return cache.digest(answer)

    def understood(self, answer: requests.Response) -> dict[str, Any] | str:
        """Loki refuses in plain text, with a status of 400 or 4xx."""
        if answer.status_code == 200:
            return dict(answer.json())
        if answer.status_code >= 500 and "deadline" not in answer.text:
            raise self.trouble(answer)
        return answer.text[:2000]


metrics = Archive()
logs = LogArchive()
