"""The service's settings. The only module that reads the environment."""

import os
from dataclasses import dataclass
from pathlib import Path

TROUBLED_VERSION = "1.5.0"  # what the fault bad_deploy pretends to have rolled out


@dataclass(frozen=True)
class Config:
    service: str
    version: str
    token: str  # opens /lab; empty: nobody may
    otlp_endpoint: str  # where traces go; empty: nowhere
    gateway_url: str
    payments_url: str
    database: str  # libpq connection string
    database_password: str
    exporter_password: str  # of the role that may look at statistics and at nothing else
    cache_host: str
    cache_port: int


def read(service: str) -> Config:
    """The settings of `service`. Raises OSError when a file of secrets is named and cannot be read."""
    env = os.environ
    cache_host, _, cache_port = env.get("CACHE_ADDRESS", "valkey:6379").rpartition(":")
    return Config(
        service=service,
        version=env.get("SHOP_VERSION", "1.4.0"),
        token=_secret(env.get("LAB_TOKEN_FILE")),
        otlp_endpoint=env.get("OTEL_EXPORTER_OTLP_ENDPOINT", ""),
        gateway_url=env.get("GATEWAY_URL", "http://gateway:8081"),
        payments_url=env.get("PAYMENTS_URL", "http://payments:8082"),
        database=env.get("DATABASE_URL", "postgresql://shop@postgres:5432/shop"),
        database_password=_secret(env.get("DATABASE_PASSWORD_FILE")),
        exporter_password=_secret(env.get("EXPORTER_PASSWORD_FILE")),
        cache_host=cache_host,
        cache_port=int(cache_port),
    )


def _secret(path: str | None) -> str:
    return Path(path).read_text("utf-8").strip() if path else ""
