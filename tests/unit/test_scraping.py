"""Prometheus scrapes what is up, and nothing else; Grafana is given what is up, and nothing else."""

from dataclasses import replace

from monlab.settings import settings
from monlab.stack import compose, scraping

SETTINGS = settings()
SERVICES = compose.load(SETTINGS.compose_file, SETTINGS.versions_file).services


def test_the_scrape_files_are_those_of_the_services(tmp_path):
    config = replace(SETTINGS, workspace=tmp_path)
    folder = tmp_path / "prometheus" / "up"
    assert scraping.follow(config, [SERVICES["payments"], SERVICES["valkey"]])
    assert [path.name for path in folder.iterdir()] == ["payments.yml"], "valkey has no metrics of its own"
    assert not scraping.follow(config, [SERVICES["payments"]]), "nothing changed"
    (folder / "payments.yml").write_text("broken: [", "utf-8")
    assert scraping.follow(config, [SERVICES["payments"]]), "what was broken is mended"
    assert scraping.follow(config, []) and not list(folder.iterdir())


def test_every_scraped_service_has_its_file_and_every_file_its_service():
    scraped = {f"{service.name}.yml" for service in SERVICES.values() if service.scrape}
    assert {path.name for path in SETTINGS.scrape.glob("*.yml")} == scraped


def test_the_data_sources_are_those_of_the_services(tmp_path):
    config = replace(SETTINGS, workspace=tmp_path)
    folder = tmp_path / "grafana" / "provisioning" / "datasources"
    assert scraping.offer(config, [SERVICES["prometheus"], SERVICES["archive-loki"], SERVICES["payments"]])
    assert sorted(path.name for path in folder.iterdir()) == ["archive-loki.yml", "prometheus.yml"]
    assert not scraping.offer(config, [SERVICES["archive-loki"], SERVICES["prometheus"]]), "nothing changed"
    assert scraping.offer(config, [SERVICES["prometheus"]])
    assert [path.name for path in folder.iterdir()] == ["prometheus.yml"], "no data source points at a server that is gone"
