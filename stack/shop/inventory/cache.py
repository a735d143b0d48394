"""Valkey as a cache. It may fail at any time: then the database answers, and the failure is counted."""

import json
import time
from typing import Any

import redis
from opentelemetry.instrumentation.redis import RedisInstrumentor
from prometheus_client import Counter
from shopkit import metrics
from shopkit.config import Config
from shopkit.faults import Faults
from shopkit.logs import Log

LIFE_SECONDS = 60
ANSWER_SECONDS = 0.3
QUIET_SECONDS = 10  # a cache that is down is told of once in this time
NOBODY_LISTENS = ("127.0.0.1", 1)  # where the switch cache_down sends the client

requests = Counter(
    "inventory_cache_requests_total", "Look-ups in the cache; an error is answered from the database.", ["result"]
)


class Cache:
    """Values by key, as JSON, for a minute."""

    def __init__(self, config: Config, faults: Faults, log: Log) -> None:
        RedisInstrumentor().instrument()
        metrics.born(requests, result=("hit", "miss", "error"))
        self.faults, self.log, self.told = faults, log, 0.0
        self.client = _client(config.cache_host, config.cache_port)
        self.broken = _client(*NOBODY_LISTENS)

    def get(self, key: str) -> Any:
        """The value, or None when it is not there or the cache does not answer."""
        try:
            found = self._reached().get(key)
        except redis.RedisError as error:
            requests.labels("error").inc()
            self._complain(error)
            return None
        requests.labels("miss" if found is None else "hit").inc()
        return None if found is None else json.loads(found)

    def put(self, key: str, value: Any) -> None:
        try:
            self._reached().set(key, json.dumps(value), ex=LIFE_SECONDS)
        except redis.RedisError as error:
            self._complain(error)

    def forget(self, *keys: str) -> None:
        try:
            self._reached().delete(*keys)
        except redis.RedisError as error:
            self._complain(error)

    def _reached(self) -> redis.Redis:
        return self.broken if self.faults.strikes("cache_down") else self.client

    def _complain(self, error: redis.RedisError) -> None:
        if time.monotonic() - self.told > QUIET_SECONDS:
            self.told = time.monotonic()
            self.log.warn("cache unavailable", reason=f"{type(error).__name__}: {error}"[:200])


def _client(host: str, port: int) -> redis.Redis:
    return redis.Redis(
        host=host,
        port=port,
        socket_timeout=ANSWER_SECONDS,
        socket_connect_timeout=ANSWER_SECONDS,
        retry=None,
        decode_responses=True,
    )
