"""Service level objectives: budgets, burn rates, alerts and rules. The maths needs no server.

`records.py` says what an objective is, `budget.py` counts, `windows.py` and `alerts.py` hold the alerts, `backtest.py` tries them on
counts, `rule_files.py` writes them for Prometheus, `pictures.py` draws them. Names load when they are first used.
"""

from importlib import import_module
from typing import Any

_HOMES = {
    "records": ("SLO", "Events", "Latency", "Rolling", "Calendar", "from_mapping"),
    "budget": (
        "Counts", "allowed_events", "allowed_seconds", "availability", "availability_table", "burn_rate", "error_ratio", "exhaustion_seconds",
        "factor", "highest_burn_rate", "left", "spent", "spent_by_burning", "total_of",
    ),
    "windows": ("BurnWindow", "Policy", "SLOTH_28D", "SLOTH_30D", "SLOTH_7D", "WORKBOOK_30D", "for_period"),
    "alerts": ("AlertType", "approaches", "detection_seconds", "firing", "of_policy", "reset_seconds", "spent_at_detection"),
    "composite": (
        "Step", "allowed_per_dependency", "bounds", "ceiling", "journey", "parallel", "required_part", "serial", "weighted",
    ),
    "indicators": (
        "all_events", "bucket", "correctness", "freshness", "good_minutes", "interpolated", "interval", "one_failure", "page_worthy",
        "smoothed", "within",
    ),
    "money": ("Credit", "credit", "outage_cost", "worth_of"),
    "forecast": ("Kind", "simulate", "straight"),
    "backtest": ("backtest_all", "counted", "lost_at_birth", "per_minute"),
    "pictures": ("plot_detection", "plot_firings", "times"),
    "rule_files": ("counted_from_birth", "error_ratio_query", "rule_file", "rules"),
    "policy": ("STANDARD", "agreement", "decide", "gate", "is_open"),
    "report": ("Incident", "month", "review"),
    "printing": ("html", "pdf"),
    "formats": ("from_openslo", "from_sloth", "to_openslo", "to_sloth"),
    "durations": ("length", "words"),
}  # fmt: skip
_WHERE = {name: home for home, names in _HOMES.items() for name in names}
__all__ = sorted(_WHERE)


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"slo has no {name!r}; it has {', '.join(__all__)}")
    return getattr(import_module(f"monlab.slo.{_WHERE[name]}"), name)
