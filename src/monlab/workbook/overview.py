"""The course at a glance, for the start page."""

import pandas as pd

from monlab.settings import settings
from monlab.stack import doctor
from monlab.workbook.modules import modules

pd.set_option("display.max_colwidth", None)  # a sentence is shown whole


def modules_table() -> pd.DataFrame:
    """The modules in order: title, minutes, memory of their servers, and whether they are ready."""
    rows = [
        {
            "module": found.id,
            "title": found.title,
            "what you will be able to do": found.summary,
            "minutes": found.minutes,
            "memory (MB)": found.memory_mb or "-",
            "state": "ready" if found.ready else "planned",
        }
        for found in modules(settings())
        if found.id != "m00"
    ]
    return pd.DataFrame(rows).set_index("module")


def this_machine() -> pd.DataFrame:
    """What this machine has, what is missing and what to do about it: the rows of `./lab doctor`."""
    rows = [
        {"what": found.what, "found": found.found, "": "ok" if found.ok else "!!", "what to do": found.do}
        for found in doctor.findings(settings())
    ]
    return pd.DataFrame(rows).set_index("what")
