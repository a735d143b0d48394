"""HTTP to servers of the lab: straight to this machine, through the environment's proxy only to others.

requests is loaded with the first question: it takes longer than all the rest, and `./lab up` starts the servers meanwhile.
"""

import re
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    import requests

    FAULTS: tuple[type[Exception], type[Exception], type[Exception]]

LOOPBACK = ("127.0.0.1", "localhost", "::1")


def __getattr__(name: str) -> Any:
    if name != "FAULTS":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import requests
    from urllib3.exceptions import HTTPError

    return (requests.RequestException, HTTPError, UnicodeError)  # malformed addresses bring errors of the lower layers


def is_loopback(url: str) -> bool:
    """Whether an address is this machine's own."""
    return urlsplit(url).hostname in LOOPBACK


def shown(text: str) -> str:
    """A text without the passwords of its addresses: what is shown may end up in a saved notebook."""
    return re.sub(r"(https?://)[^/\s@]+@", r"\1", text)


def session(url: str) -> "requests.Session":
    """A session for this address. A proxy of the environment would look for 127.0.0.1 on its own machine."""
    return _session(not is_loopback(url))


@cache
def _session(trust_env: bool) -> "requests.Session":
    import requests

    made = requests.Session()
    made.trust_env = trust_env
    return made


def get(url: str, timeout: float, **more: Any) -> "requests.Response":
    """GET; raises one of FAULTS."""
    return session(url).get(url, timeout=timeout, **more)


def post(url: str, timeout: float, **more: Any) -> "requests.Response":
    """POST; raises one of FAULTS."""
    return session(url).post(url, timeout=timeout, **more)
