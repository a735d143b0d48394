"""Six objectives of the shop: by status, by route, by good events, by latency, of 30 and of 28 days."""

from monlab.slo.records import from_mapping

BAD = 'code=~"5.."'
SPECS = [
    from_mapping(
        {"service": job, "name": "availability", "objective": objective, "window": window}
        | {"total": f'http_requests_total{{job="{job}"}}', "bad": f'http_requests_total{{job="{job}",{BAD}}}'}
    )
    for job, objective, window in (
        ("gateway", 0.999, "30d"),
        ("inventory", 0.999, "30d"),
        ("payments", 0.995, "28d"),
    )
] + [
    from_mapping(
        {"service": "gateway", "name": "orders", "objective": 0.995}
        | {
            "total": 'http_requests_total{job="gateway",route="/orders"}',
            "bad": f'http_requests_total{{job="gateway",route="/orders",{BAD}}}',
        }
    ),
    from_mapping(
        {"service": "frontend", "name": "pages", "objective": 0.999, "window": "28d"}
        | {"total": 'http_requests_total{job="frontend"}', "good": 'http_requests_total{job="frontend",code!~"5.."}'}
    ),
    from_mapping(
        {"service": "gateway", "name": "latency", "objective": 0.99, "histogram": "http_request_duration_seconds"}
        | {"threshold_seconds": 0.25, "matchers": 'job="gateway",code="201"'}
    ),
]
