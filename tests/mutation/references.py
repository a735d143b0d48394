"""Right queries of the usual kinds, to try the mutator on."""

REFERENCES = {
    "errors": 'sum by (service) (rate(http_requests_total{code=~"5.."}[5m])) / sum by (service) (rate(http_requests_total[5m]))',
    "percent": '100 * sum(rate(http_requests_total{job="payments", code!~"5.."}[5m])) / sum(rate(http_requests_total{job="payments"}[5m]))',
    "p99": "histogram_quantile(0.99, sum by (service, le) (rate(http_request_duration_seconds_bucket[10m])))",
    "versions": "sum by (version) (rate(http_requests_total[5m]) * on (job, instance) group_left (version) shop_build_info)",
    "day": 'sum by (result) (increase(shop_orders_total{result!="placed"}[1d]))',
    "disk": 'predict_linear(node_filesystem_avail_bytes{mountpoint="/var/lib/postgresql", fstype!="tmpfs"}[1h], 4 * 3600) < 0',
    "absent": 'absent(payments_total{instance="payments-1:8082", result="voided"})',
    "top": "topk(3, sum by (route) (rate(http_requests_total[10m])))",
    "restarts": "changes(process_start_time_seconds[1h]) > 2",
    "age": 'time() - process_start_time_seconds{job=~"gateway|payments"}',
    "down": "up == 0",
    "yesterday": "sum(rate(shop_revenue_cents_total[1h])) / sum(rate(shop_revenue_cents_total[1h] offset 1d))",
    "fast": 'sum(rate(http_request_duration_seconds_bucket{le="0.25"}[5m])) / sum(rate(http_request_duration_seconds_count[5m]))',
    "busy": 'inventory_db_connections{state="used"} / ignoring (state) inventory_db_connections_max > bool 0.8',
    "burst": "max_over_time(sum by (job) (rate(http_requests_total[5m]))[1h:5m])",
    "hosts": "node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes < 0.1 unless on (instance) (up == 0)",
}
