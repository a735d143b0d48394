"""What the shop earns, and how much failure it may still afford."""

from grafana_foundation_sdk.builders import dashboard
from parts import HTTP, board, panel

EDGE = 'job="frontend", route!="unmatched"'
RESULTS = {
    "/^(placed|reserved|authorized)$/": "green",
    "/^(failed|out_of_stock)$/": "red",
    "/^(declined|cancelled)$/": "orange",
    "/^repeated$/": "blue",
}


def business():
    made = board("business", "Business", "What the shop sells, and what keeps it from selling.")
    return (
        made.with_variable(dashboard.IntervalVariable("window").label("Window").values("5m,15m,1h"))
        .with_panel(
            panel(
                "timeseries",
                "Orders a minute",
                "Orders placed a minute.",
                ('60 * sum(rate(shop_orders_total{result="placed"}[$__rate_interval]))', "orders"),
                unit="opm",
            )
        )
        .with_panel(
            panel(
                "timeseries",
                "Revenue an hour",
                "Revenue as it would be in an hour of the present pace.",
                ("3600 * sum(rate(shop_revenue_cents_total[$window])) / 100", "revenue"),
                unit="currencyEUR",
            )
        )
        .with_panel(
            panel(
                "timeseries",
                "Share of payments that succeed",
                "Authorized of authorized and declined. Cards are declined on any day; 5 % is usual.",
                (
                    'sum(rate(payments_total{result="authorized"}[$window])) / sum(rate(payments_total{result=~"authorized|declined"}[$window]))',
                    "authorized",
                ),
                unit="percentunit",
                low=0,
                high=1,
            )
        )
        .with_panel(
            panel(
                "stat",
                "Mean order in the range",
                "Revenue by orders placed; nothing when nothing was ordered.",
                (
                    'sum(increase(shop_revenue_cents_total[$__range])) / (sum(increase(shop_orders_total{result="placed"}[$__range])) > 0) / 100',
                    "mean order",
                ),
                unit="currencyEUR",
                width=6,
                instant=True,
            )
        )
        .with_panel(
            panel(
                "bargauge",
                "Stock",
                "Pieces of each product. At zero it cannot be sold.",
                ("max by (sku) (inventory_stock)", "{{sku}}"),
                unit="short",
                width=9,
                low=0,
                steps=((None, "red"), (1, "yellow"), (50, "green")),
            )
        )
        .with_panel(
            panel(
                "piechart",
                "Orders by result",
                "What became of the orders in the range.",
                ("sum by (result) (increase(shop_orders_total[$__range]))", "{{result}}"),
                unit="locale",
                width=9,
                decimals=0,
                instant=True,
                colors=RESULTS,
            )
        )
        .with_panel(
            panel(
                "heatmap",
                "Amounts of payments",
                "Payments authorized, by amount.",
                "sum by (le) (increase(payment_amount_cents_bucket[$__rate_interval]))",
                unit="suffix:cents",
                width=12,
            )
        )
        .with_panel(
            panel(
                "timeseries",
                "Reservations by result",
                "Reservations a second, by what became of them.",
                ("sum by (result) (rate(inventory_reservations_total[$__rate_interval]))", "{{result}}"),
                unit="ops",
                width=12,
                colors=RESULTS,
            )
        )
    )


def slo():
    made = board("slo", "SLO", "How much failure the shop may still afford, from raw counters.")
    failed = (
        f'(sum(increase({HTTP}{{{EDGE}, code=~"5.."}}[$__range])) or vector(0))'  # a service that never failed has no such series
    )
    every = f"sum(increase({HTTP}{{{EDGE}}}[$__range]))"
    share = f'(sum(rate({HTTP}{{{EDGE}, code=~"5.."}}[1h])) or vector(0)) / sum(rate({HTTP}{{{EDGE}}}[1h]))'
    return (
        made.with_variable(dashboard.CustomVariable("objective").label("Objective").values("0.99, 0.995, 0.999"))
        .with_panel(
            panel(
                "gauge",
                "Availability in the range",
                "Share of customers' requests that were not answered with 5xx. Yellow below 99.5 %, red below 99 %, whatever the objective.",
                (f"1 - {failed} / {every}", "available"),
                unit="percentunit",
                low=0,
                high=1,
                decimals=2,
                instant=True,
                steps=((None, "red"), (0.99, "yellow"), (0.995, "green")),
            )
        )
        .with_panel(
            panel(
                "stat",
                "Budget left in the range",
                "Share of the allowed failures that is left, if the range were the SLO's period. Below zero it is overdrawn.",
                (f"1 - {failed} / {every} / (1 - $objective)", "left"),
                unit="percentunit",
                decimals=0,
                instant=True,
                steps=((None, "red"), (0, "orange"), (0.25, "yellow"), (0.5, "green")),
            )
        )
        .with_panel(
            panel(
                "timeseries",
                "Burn rate over 1h",
                "How many times faster than allowed the budget is spent: the highest between two points, so that a long range hides no "
                "peak. At 14.4 an hour costs 2 % of a 30-day budget.",
                (f"max_over_time(({share} / (1 - $objective))[$__rate_interval:1m])", "burn rate"),
                ("vector(14.4)", "page at 14.4"),
                ("vector(6)", "page at 6, over 6 h"),
                unit="short",
                low=0,
                colors={"/14.4/": "red", "/at 6/": "orange", "/burn/": "blue"},
            )
        )
        .with_panel(
            panel(
                "timeseries",
                "Availability over 1h, against the objective",
                "The share of good answers over one hour. The axis begins at the lowest one: from 0 on, 99.9 % would look like 99 %.",
                (f"1 - {share}", "available"),
                ("vector($objective)", "objective"),
                unit="percentunit",
                high=1,
                width=12,
            )
        )
        .with_panel(
            panel(
                "table",
                "What the SLI is made of",
                "Answers to customers in the range, by route and code.",
                f"sum by (route, code) (increase({HTTP}{{{EDGE}}}[$__range])) > 0",
                unit="locale",
                decimals=0,
                width=12,
                instant=True,
                names={"Value": "answers"},
            )
        )
    )
