"""The course's dashboards, each a function. `python stack/grafana/dashboards_src/build.py` writes their JSON."""

from machines import host_use, shop_logs, tracing
from money import business, slo
from services import service_red, shop_overview

ALL = {
    "shop-overview": shop_overview,
    "service-red": service_red,
    "host-use": host_use,
    "business": business,
    "slo": slo,
    "logs": shop_logs,
    "tracing": tracing,
}
