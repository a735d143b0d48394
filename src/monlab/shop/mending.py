"""`python -m monlab.shop.mending NOTE SECONDS PROXIES`: mends a link between two services when its fault's time is over.

The note is a file named like the link. If it has gone or changed by then, the fault was ended, or another one took its place.
"""

import sys
import time
from pathlib import Path

from monlab import web
from monlab.waiting import poll

AWAY_SECONDS = 10  # the proxy may be away for a moment


def main(note: Path, seconds: float, proxies: str) -> None:
    mine = _text(note)
    time.sleep(seconds)  # which is what this process is for
    poll(lambda: not mine or _text(note) != mine or _mended(note, f"{proxies}/{note.name}"), AWAY_SECONDS)


def _mended(note: Path, proxy: str) -> bool:
    try:
        mend(proxy)
    except (ValueError, KeyError, *web.FAULTS):
        return False
    note.unlink(missing_ok=True)
    return True


def mend(proxy: str) -> None:
    """Takes all that disturbs a link of Toxiproxy out of it. Raises one of web.FAULTS, ValueError or KeyError."""
    for toxic in web.get(proxy, 5).json()["toxics"]:
        web.session(proxy).delete(f"{proxy}/toxics/{toxic['name']}", timeout=5)
    web.post(proxy, 5, json={"enabled": True})


def _text(note: Path) -> str:
    try:
        return note.read_text("utf-8")
    except FileNotFoundError:
        return ""


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]), sys.argv[3])
