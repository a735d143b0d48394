"""The shop in Docker: hardened containers, an order through all of them, images that are built."""

import pytest
import requests
from hardening import assert_hardened
from images import PREFIX
from shops import SERVICES
from waits import until

from monlab.settings import settings
from monlab.stack import compose, lab

DESCRIPTION = compose.load(settings().compose_file, settings().versions_file, PREFIX)
PAYMENTS = DESCRIPTION.services["payments"].image


def confirmed(url: str, order_id: str) -> bool:
    return requests.get(f"{url}/api/orders/{order_id}", timeout=10).json()["state"] == "confirmed"


def test_every_container_of_the_shop_is_limited_and_hardened_and_on_loopback(shop_docker, daemon):
    status = shop_docker.clone.status()
    assert set(status) == {service.name for service in DESCRIPTION.for_modules({"shop"})}
    assert {service["state"] for service in status.values()} == {"running"}
    for name, service in status.items():
        assert_hardened(daemon, name, service["container"], "999:999" if name == "postgres" else "65534:65534")


def test_payments_is_its_own_program_alone_in_its_own_image(shop_docker, daemon):
    container = daemon.containers.get(shop_docker.clone.status()["payments"]["container"])
    assert container.image.tags == [PAYMENTS]
    [process] = container.top(ps_args="-ef ww")["Processes"]  # ww: ps cuts a long command line to the terminal's width
    assert "/payments --listen=0.0.0.0:8082" in " ".join(process)


def test_an_order_is_confirmed_and_its_trace_crosses_every_service(shop_docker):
    answer = shop_docker.placed()
    order_id = answer.json()["order_id"]
    until(lambda: confirmed(shop_docker.urls["frontend"], order_id), what="the order is confirmed")
    trace = answer.headers["X-Trace-Id"]
    until(lambda: set(SERVICES) <= {span["service"] for span in shop_docker.spans(trace)}, what="spans of all four services")


def test_prometheus_reaches_every_part_of_the_shop(shop_docker):
    scraped = {service.name for service in DESCRIPTION.for_modules({"shop"}) if service.scrape}
    until(lambda: scraped <= {one["metric"]["instance"].split(":")[0] for one in shop_docker.clone.query("up == 1")}, 30)


def test_secrets_are_closed_to_other_users_of_the_machine(shop_docker):
    assert (shop_docker.clone.state / "secrets").stat().st_mode & 0o077 == 0


def test_the_core_of_the_shop_runs_beside_module_2_without_traces(docker_clone, shop_images):
    """Under a strict umask: what containers mount must be readable for their users all the same."""
    for path in (docker_clone.repo / "stack").rglob("*"):
        path.chmod(0o700 if path.is_dir() else 0o600)
    docker_clone.lab("up", "m02", "shop-core")
    status = docker_clone.status()
    assert {"blackbox_exporter", "frontend"} <= set(status) and not {"jaeger", "otelcol"} & set(status)
    url = status["frontend"]["url"]
    order = {"sku": "TEA-001", "quantity": 1}
    answers = (requests.post(f"{url}/api/orders", json=order, timeout=30) for _ in range(20))
    placed = next(answer for answer in answers if answer.status_code != 402)  # one card in twenty is declined
    assert placed.status_code == 201, placed.text
    until(lambda: confirmed(url, placed.json()["order_id"]), what="the order is confirmed")


def test_a_published_port_without_a_server_behind_it_is_not_ready(shop_docker, daemon):
    """Docker takes connections to it all the same."""
    image = DESCRIPTION.services["postgres"].image
    container = daemon.containers.run(
        image, ["-c", "import signal; signal.pause()"], entrypoint="python", ports={"5432": ("127.0.0.1", None)}, detach=True
    )
    try:
        container.reload()
        [binding] = container.attrs["NetworkSettings"]["Ports"]["5432/tcp"]
        service = DESCRIPTION.services["postgres"]
        assert not lab._answers(f"tcp://127.0.0.1:{binding['HostPort']}", service)
        assert lab._answers(shop_docker.urls["postgres"], service)
    finally:
        container.remove(force=True)


@pytest.fixture
def without_payments(daemon, shop_images):
    """The image of payments under another name only."""
    image = daemon.images.get(PAYMENTS)
    image.tag(f"{PREFIX}base", "1")
    daemon.images.remove(PAYMENTS, noprune=True)
    yield f"{PREFIX}base:1"
    for built in daemon.images.list(name=PAYMENTS):
        daemon.images.remove(built.id, force=True)
    daemon.images.get(f"{PREFIX}base:1").tag(*PAYMENTS.split(":"))
    daemon.images.remove(f"{PREFIX}base:1")


def test_an_image_of_the_labs_own_is_built_where_it_is_missing(without_payments, docker_clone, daemon):
    dockerfile = docker_clone.repo / "stack/shop/payments/Dockerfile"
    dockerfile.write_text(f"FROM {PREFIX}nowhere:1\n", "utf-8")
    said = docker_clone.lab("up", "shop-core", code=1)
    assert f"{PAYMENTS} cannot be built: " in said and f"{PREFIX}nowhere" in said
    dockerfile.write_text(f"FROM {without_payments}\nLABEL built=here\n", "utf-8")
    assert f"docker: building {PAYMENTS}" in docker_clone.lab("up", "shop-core")
    assert daemon.images.get(PAYMENTS).labels["built"] == "here"
