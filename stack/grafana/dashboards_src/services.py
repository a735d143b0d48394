"""How requests go: the shop at a glance, and one service by rate, errors and duration."""

from grafana_foundation_sdk.builders import dashboard, nodegraph
from parts import ERRORS, HTTP, JAEGER, LATENCY, JaegerQuery, board, choice, panel

SECONDS = "http_request_duration_seconds"
CODES = {"/^2/": "green", "/^201/": "light-green", "/^3/": "blue", "/^4/": "yellow", "/^409/": "orange", "/^5/": "red"}


def shop_overview():
    made = board(
        "shop-overview",
        "Shop overview",
        "Is the shop well? From the top: what customers buy, then each service, then who calls whom.",
    )
    return (
        made.with_variable(choice("job", "Service", f"label_values({HTTP}, job)"))
        .with_panel(
            panel(
                "stat",
                "Services up",
                "Processes of the four services that answered their last scrape. Fewer than usual: see Service RED.",
                ('sum by (job) (up{job=~"$job"})', "{{job}}"),
                unit="short",
                width=9,
                height=5,
                steps=((None, "red"), (1, "green")),
            )
        )
        .with_panel(
            panel(
                "gauge",
                "Payments that succeed",
                "Authorized of all attempts in the range; a declined card is the customer's. Below 90 %: ask payments.",
                (
                    'sum(increase(payments_total{result="authorized"}[$__range])) / sum(increase(payments_total{result=~"authorized|declined"}[$__range]))',
                    "authorized",
                ),
                unit="percentunit",
                width=5,
                height=5,
                low=0,
                high=1,
                steps=((None, "red"), (0.8, "yellow"), (0.9, "green")),
                decimals=1,
                instant=True,
            )
        )
        .with_panel(
            panel(
                "stat",
                "Orders placed",
                "Orders placed in the range. Restarts of the counter are allowed for.",
                ('sum(increase(shop_orders_total{result="placed"}[$__range]))', "orders"),
                unit="locale",
                width=5,
                height=5,
                decimals=0,
                instant=True,
            )
        )
        .with_panel(
            panel(
                "stat",
                "Revenue, last hour",
                "Value of orders placed within the last hour, in the shop's currency.",
                ("sum(increase(shop_revenue_cents_total[1h])) / 100", "revenue"),
                unit="currencyEUR",
                width=5,
                height=5,
                instant=True,
            )
        )
        .with_panel(
            panel(
                "timeseries",
                "Requests by service",
                "Requests answered a second. A drop to zero at night is not normal.",
                (f'sum by (job) (rate({HTTP}{{job=~"$job"}}[$__rate_interval]))', "{{job}}"),
                unit="reqps",
            )
        )
        .with_panel(
            panel(
                "timeseries",
                "Share of errors by service",
                "Share of answers with 5xx. Above 1 %: look at Service RED, then at the logs.",
                (
                    f'sum by (job) (rate({HTTP}{{job=~"$job", code=~"5.."}}[$__rate_interval])) / sum by (job) (rate({HTTP}{{job=~"$job"}}[$__rate_interval])) or sum by (job) (rate({HTTP}{{job=~"$job"}}[$__rate_interval])) * 0',
                    "{{job}}",
                ),
                unit="percentunit",
                steps=ERRORS,
                low=0,
            )
        )
        .with_panel(
            panel(
                "timeseries",
                "Slowest twentieth by service (p95)",
                "95 of 100 requests were faster. It is estimated within a bucket.",
                (
                    f'histogram_quantile(0.95, sum by (job, le) (rate({SECONDS}_bucket{{job=~"$job"}}[$__rate_interval])))',
                    "{{job}}",
                ),
                unit="s",
                steps=LATENCY,
                low=0,
            )
        )
        .with_panel(
            nodegraph.Panel()
            .title("Who calls whom")
            .description("Calls between services, counted from traces. Empty where no tracing runs.")
            .datasource(JAEGER)
            .span(24)
            .height(6)
            .with_target(JaegerQuery("dependencyGraph"))
        )
    )


def service_red():
    made = board("service-red", "Service RED", "Rate, errors and duration of one service, by route and by instance.")
    chosen = 'job=~"$job", instance=~"$instance"'
    return (
        made.with_variable(choice("job", "Service", f"label_values({HTTP}, job)"))
        .with_variable(choice("instance", "Instance", f'label_values({HTTP}{{job=~"$job"}}, instance)'))
        .with_variable(dashboard.CustomVariable("quantile").label("Percentile").values("0.95, 0.5, 0.99"))
        .with_row(dashboard.Row("Rate"))
        .with_panel(
            panel(
                "timeseries",
                "Requests by route",
                "Requests answered a second, by route template.",
                (f"sum by (job, route) (rate({HTTP}{{{chosen}}}[$__rate_interval]))", "{{job}} {{route}}"),
                unit="reqps",
                width=12,
                stacked=True,
            )
        )
        .with_panel(
            panel(
                "timeseries",
                "Requests by instance",
                "Instances of one service share the load evenly. One that stands out is sick, or alone.",
                (f"sum by (instance) (rate({HTTP}{{{chosen}}}[$__rate_interval]))", "{{instance}}"),
                unit="reqps",
                width=12,
            )
        )
        .with_row(dashboard.Row("Errors"))
        .with_panel(
            panel(
                "timeseries",
                "Answers by status code",
                "Answers a second, by status code. 4xx are the caller's, 5xx are ours.",
                (f"sum by (code) (rate({HTTP}{{{chosen}}}[$__rate_interval]))", "{{code}}"),
                unit="reqps",
                width=12,
                stacked=True,
                colors=CODES,
            )
        )
        .with_panel(
            panel(
                "timeseries",
                "Calls to others that fail",
                "Calls to another service that did not end well, by caller, called and outcome.",
                (
                    'sum by (job, upstream, outcome) (rate(upstream_requests_total{job=~"$job", outcome!="ok"}[$__rate_interval]))',
                    "{{job}} → {{upstream}} {{outcome}}",
                ),
                unit="reqps",
                width=12,
            )
        )
        .with_row(dashboard.Row("Duration"))
        .with_panel(
            panel(
                "timeseries",
                "Percentile $quantile by route",
                "So many of all requests were faster. Estimated within a bucket.",
                (
                    f"histogram_quantile($quantile, sum by (job, route, le) (rate({SECONDS}_bucket{{{chosen}}}[$__rate_interval])))",
                    "{{job}} {{route}}",
                ),
                unit="s",
                width=12,
                low=0,
            )
        )
        .with_panel(
            panel(
                "heatmap",
                "How long requests take",
                "Requests by duration: a second band is a second kind of work.",
                f"sum by (le) (increase({SECONDS}_bucket{{{chosen}}}[$__rate_interval]))",
                unit="s",
                width=12,
            )
        )
    )
