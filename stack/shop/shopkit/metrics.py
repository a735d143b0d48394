"""The metrics that every Python service has. Names, labels and buckets stand in ../telemetry.yaml."""

from opentelemetry import trace
from prometheus_client import Counter, Gauge, Histogram, disable_created_metrics

disable_created_metrics()  # the time of birth as a series of its own would double their number

BUCKETS_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

requests_total = Counter(
    "http_requests_total", "Requests answered, by method, route template and status code.", ["method", "route", "code"]
)
request_duration = Histogram(
    "http_request_duration_seconds",
    "Time from the request's arrival to its answer.",
    ["method", "route", "code"],
    buckets=BUCKETS_SECONDS,
)
in_flight = Gauge("http_requests_in_flight", "Requests being worked on now.")
build_info = Gauge("shop_build_info", "Always 1; its labels tell what runs.", ["version", "language"])
by_client = Counter("shop_requests_by_client_total", "Requests by kind of client, told by the User-Agent.", ["client"])
CLIENTS = ("browser", "k6", "shop", "other")

upstream_requests = Counter(
    "upstream_requests_total",
    "Calls to another service, first tries and retries told apart.",
    ["upstream", "attempt", "outcome"],
)
upstream_duration = Histogram(
    "upstream_request_duration_seconds",
    "Time until another service has answered, as the caller sees it.",
    ["upstream"],
    buckets=BUCKETS_SECONDS,
)
OUTCOMES = ("ok", "client_error", "server_error", "timeout", "unreachable")


def born(counter: Counter, **labels: tuple[str, ...]) -> None:
    """Creates a counter's series at 0, so that the first event of a kind is a rise and not a birth."""
    [(label, values)] = labels.items()
    for value in values:
        counter.labels(**{label: value})


def client(user_agent: str) -> str:
    """The kind of client: a closed set, because the header itself could hold anything."""
    if "k6" in user_agent:
        return "k6"
    if user_agent.startswith("Mozilla"):
        return "browser"
    return "shop" if user_agent.startswith("shop-") else "other"


def exemplar() -> dict[str, str] | None:
    """The current trace as an exemplar's labels; None when it is not sampled and nobody could look it up."""
    span = trace.get_current_span().get_span_context()
    return {"trace_id": f"{span.trace_id:032x}"} if span.is_valid and span.trace_flags.sampled else None
