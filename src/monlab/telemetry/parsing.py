"""Reading big JSON answers fast: half a million samples are half a million small lists."""

import gc
from typing import Any

import requests

UNPACKED = {"Accept-Encoding": "identity"}  # between programs of one machine, packing an answer costs more than it saves


def parsed(answer: requests.Response) -> Any:
    """The JSON of an answer. Raises ValueError when it is none.

    The garbage collector rests meanwhile: it would visit all lists made so far again and again, and none of them is garbage.
    """
    resting = gc.isenabled()
    gc.disable()
    try:
        return answer.json()
    finally:
        if resting:
            gc.enable()
