"""What lies below the services: machines, log lines, traces."""

from grafana_foundation_sdk.builders import nodegraph, table
from parts import JAEGER, JaegerQuery, board, choice, counted, lines, panel

LINES = (
    '{service=~".+", level=~"error|warn"} | json '
    '| line_format `{{.service}}: {{.message}} {{.method}} {{.route}} {{.status}} {{.error}}  "trace_id":"{{.trace_id}}"`'
)
LEVELS = {"/^error$/": "red", "/^warn$/": "orange", "/^info$/": "blue"}


def host_use():
    made = board("host-use", "Host USE", "Utilisation, saturation and errors of the machines.")
    here = 'job="node", instance=~"$instance"'
    disk = f'{{{here}, mountpoint=~"$mountpoint", fstype!~"tmpfs|overlay|squashfs"}}'
    return (
        made.with_variable(choice("instance", "Machine", "label_values(node_cpu_seconds_total, instance)"))
        .with_variable(
            choice(
                "mountpoint",
                "Mountpoint",
                'label_values(node_filesystem_avail_bytes{instance=~"$instance", fstype!~"tmpfs|overlay|squashfs"}, mountpoint)',
            )
        )
        .with_panel(
            panel(
                "timeseries",
                "CPU in use",
                "Share of all cores that is not idle. Above 90 % for long: who is it?",
                (
                    f'1 - avg by (instance) (rate(node_cpu_seconds_total{{{here}, mode="idle"}}[$__rate_interval]))',
                    "{{instance}}",
                ),
                unit="percentunit",
                low=0,
                high=1,
                steps=((None, "green"), (0.7, "yellow"), (0.9, "red")),
            )
        )
        .with_panel(
            panel(
                "timeseries",
                "Memory in use",
                "Share of memory that programs cannot have any more.",
                (f"1 - node_memory_MemAvailable_bytes{{{here}}} / node_memory_MemTotal_bytes{{{here}}}", "{{instance}}"),
                unit="percentunit",
                low=0,
                high=1,
            )
        )
        .with_panel(
            panel(
                "bargauge",
                "Disk in use",
                "Share of each file system. At 85 % somebody has to act.",
                (f"1 - node_filesystem_avail_bytes{disk} / node_filesystem_size_bytes{disk}", "{{instance}} {{mountpoint}}"),
                unit="percentunit",
                low=0,
                high=1,
                steps=((None, "green"), (0.7, "yellow"), (0.85, "red")),
            )
        )
        .with_panel(
            panel(
                "timeseries",
                "Load per core",
                "Processes that run or wait, for each core. Above 1 something waits.",
                (
                    f'sum by (instance) (node_load1{{{here}}}) / count by (instance) (node_cpu_seconds_total{{{here}, mode="idle"}})',
                    "{{instance}}",
                ),
                unit="short",
            )
        )
        .with_panel(
            panel(
                "timeseries",
                "Network",
                "Bytes a second through real network cards: in above, out below.",
                (
                    f'sum by (instance) (rate(node_network_receive_bytes_total{{{here}, device!~"lo|veth.*|br-.*|docker.*"}}[$__rate_interval]))',
                    "{{instance}} in",
                ),
                (
                    f'-sum by (instance) (rate(node_network_transmit_bytes_total{{{here}, device!~"lo|veth.*|br-.*|docker.*"}}[$__rate_interval]))',
                    "{{instance}} out",
                ),
                unit="Bps",
            )
        )
        .with_panel(
            panel(
                "timeseries",
                "Disk free",
                "Bytes left on each file system.",
                (f"node_filesystem_avail_bytes{disk}", "{{instance}} {{mountpoint}}"),
                unit="bytes",
                low=0,
            )
        )
        .with_panel(
            panel(
                "table",
                "Who uses the CPU",
                "The five processes with metrics of their own that used most CPU. They are the lab's servers, not all of the machine's.",
                "topk(5, sum by (job, instance) (rate(process_cpu_seconds_total[$__rate_interval])))",
                unit="percentunit",
                width=24,
                height=5,
                instant=True,
                names={"Value": "CPU of one core"},
            )
        )
    )


def shop_logs():
    made = board("logs", "Logs", "What the services say, errors first.")
    return (
        made.with_panel(
            counted(
                "Lines by level",
                "Log lines, by level.",
                'sum by (level) (count_over_time({service=~".+"}[$__interval]))',
                "{{level}}",
                colors=LEVELS,
            )
        )
        .with_panel(
            counted(
                "Errors and warnings by service",
                "Lines of level error and warn.",
                'sum by (service) (count_over_time({service=~".+", level=~"error|warn"}[$__interval]))',
                "{{service}}",
            )
        )
        .with_panel(
            lines(
                "Errors and warnings",
                "The newest lines: who says what about which request. Each carries a trace_id.",
                LINES,
            )
        )
    )


def tracing():
    made = board("tracing", "Tracing", "Who calls whom, and the newest requests.")
    search = JaegerQuery("search", "frontend")
    graph = JaegerQuery("dependencyGraph")
    return made.with_panel(
        nodegraph.Panel()
        .title("Service map")
        .description("Calls between services, counted from traces.")
        .datasource(JAEGER)
        .span(24)
        .height(7)
        .with_target(graph)
    ).with_panel(
        table.Panel()
        .title("Newest traces of frontend")
        .description("A trace each line: open one to see where its time went.")
        .datasource(JAEGER)
        .span(24)
        .height(12)
        .with_target(search)
    )
