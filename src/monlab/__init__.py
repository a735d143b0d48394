"""The notebook API: what a lesson may use, and nothing else.

Names load when they are first used, so that `./lab status` does not wait for pandas and matplotlib.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from monlab import archive, machine, shop, stack
    from monlab import dashboards as dashboard
    from monlab import plots as plot
    from monlab.grading.learner import check, hint, solution
    from monlab.progress.guesses import guess
    from monlab.stack.tools import amtool, promtool
    from monlab.telemetry import alertmanager as alerts
    from monlab.telemetry import pushgateway
    from monlab.telemetry.pages import page
    from monlab.telemetry.prometheus import prom
    from monlab.waiting import wait_until
    from monlab.workbook import overview as course
    from monlab.workbook import workspace

# name -> module, and the name inside it; an empty one is the module itself
_HOMES = {
    "alerts": ("monlab.telemetry.alertmanager", ""),
    "amtool": ("monlab.stack.tools", "amtool"),
    "archive": ("monlab.archive", ""),
    "check": ("monlab.grading.learner", "check"),
    "course": ("monlab.workbook.overview", ""),
    "dashboard": ("monlab.dashboards", ""),
    "guess": ("monlab.progress.guesses", "guess"),
    "hint": ("monlab.grading.learner", "hint"),
    "machine": ("monlab.machine", ""),
    "page": ("monlab.telemetry.pages", "page"),
    "plot": ("monlab.plots", ""),
    "prom": ("monlab.telemetry.prometheus", "prom"),
    "promtool": ("monlab.stack.tools", "promtool"),
    "pushgateway": ("monlab.telemetry.pushgateway", ""),
    "shop": ("monlab.shop", ""),
    "slo": ("monlab.slo", ""),
    "solution": ("monlab.grading.learner", "solution"),
    "stack": ("monlab.stack", ""),
    "wait_until": ("monlab.waiting", "wait_until"),
    "workspace": ("monlab.workbook.workspace", ""),
}

__all__ = [
    "alerts",
    "amtool",
    "archive",
    "check",
    "course",
    "dashboard",
    "guess",
    "hint",
    "machine",
    "page",
    "plot",
    "prom",
    "promtool",
    "pushgateway",
    "shop",
    "slo",
    "solution",
    "stack",
    "wait_until",
    "workspace",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"monlab has no {name!r}; a lesson may use {', '.join(__all__)}")
    module, inside = _HOMES[name]
    home = import_module(module)
    return getattr(home, inside) if inside else home
