"""What ``deploy/`` says is consistent, and what the code reads; ``tests/e2e/test_deployment.py`` runs it."""

import json
import re
from collections.abc import Iterator
from importlib.metadata import entry_points
from io import StringIO
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml
from dotenv import dotenv_values

from cognee_dagster import __version__
from cognee_dagster.dagster.code_location import CodeLocationSettings
from cognee_dagster.environment import API_KEY_VARIABLE
from cognee_dagster.remote.https_settings import SERVICE_URL_VARIABLE
from cognee_dagster.sources.cognee.config import DATA_ROOT_VARIABLE, SYSTEM_ROOT_VARIABLE
from tests.compose_file import DEPLOY, ROOT, deployed, services

COMPOSE = (DEPLOY / "compose.yaml").read_text(encoding="utf-8")
EXAMPLE = dotenv_values(stream=StringIO((DEPLOY / ".env.example").read_text(encoding="utf-8")))
PAGE = (ROOT / "docs" / "deployment.md").read_text(encoding="utf-8")
OUR_SERVICES = ("code", "webserver", "daemon")

# What the chart knows (helm/dagster/schema in the repository of Dagster 1.13), of what is used here: read by hand.
CHART = {
    "global": {"postgresqlSecretName"},
    "generatePostgresqlPasswordSecret": bool,
    "postgresql": {"enabled", "postgresqlHost", "postgresqlUsername", "postgresqlDatabase"},
    "dagster-user-deployments": {"enabled", "enableSubchart", "deployments"},
    "runLauncher": {"type", "config"},
    "dagsterDaemon": {"runMonitoring"},
    "additionalInstanceConfig": {"concurrency", "run_monitoring"},
    "telemetry": {"enabled"},
}
CHART_DEPLOYMENT = {
    *("name", "image", "codeServerArgs", "includeConfigInLaunchedRuns", "port", "env", "envSecrets"),
    *("podSecurityContext", "securityContext", "resources"),
}


def code_environment() -> dict[str, str]:
    """What the code location gets when .env.example is copied as it is."""
    said = {name: str(value) for name, value in services()["code"]["environment"].items()}
    return {name: value for name, value in EXAMPLE.items() if value is not None} | said


def pairs(value: Any) -> Iterator[tuple[str, Any]]:
    """Every key with its value, at every depth."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield str(key), inner
            yield from pairs(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from pairs(inner)


def option(words: list[str], name: str) -> str:
    return words[words.index(name) + 1]


class TestCompose:
    def test_it_is_what_the_compose_specification_allows(self) -> None:
        spec = pytest.importorskip("compose_spec", reason="needs the extra integration")
        # The library knows no YAML merge keys, which Compose does.
        project = spec.PyCompose.from_yaml(json.dumps(deployed("compose.yaml")))
        project.validate()
        assert project.service_names() == list(services())

    def test_volumes_and_secrets_are_declared_and_used(self) -> None:
        project = deployed("compose.yaml")
        mounts = [volume.split(":")[0] for service in services().values() for volume in service.get("volumes", [])]
        assert {name for name in mounts if not name.startswith(".")} == set(project["volumes"])
        used = {name for service in services().values() for name in service.get("secrets", [])}
        assert used == set(project["secrets"])

    def test_a_service_waits_for_healthy_services_that_there_are(self) -> None:
        for name, service in services().items():
            assert service["healthcheck"]["test"][0] == "CMD", name
            for other, how in service.get("depends_on", {}).items():
                assert how == {"condition": "service_healthy"}
                assert "profiles" not in services()[other], f"{name} cannot wait for {other}, which may not be there"

    def test_every_program_is_one_that_the_image_installs(self) -> None:
        pytest.importorskip("dagster_webserver", reason="make oldest installs no extra but dev")
        installed = {script.name: script.dist.name for script in entry_points(group="console_scripts") if script.dist}
        for name in OUR_SERVICES:
            program = services()[name]["command"][0]
            assert installed[program] in ("dagster", "dagster-webserver"), name

    def test_ports_and_names_are_the_same_wherever_they_are_said(self) -> None:
        (server,) = (entry["grpc_server"] for entry in deployed("workspace.yaml")["load_from"])
        code, webserver, cognee = services()["code"], services()["webserver"], services()["cognee"]
        port = str(server["port"])
        assert server["host"] == "code"
        assert option(code["command"], "-p") == option(code["healthcheck"]["test"], "-p") == port
        shown = option(webserver["command"], "-p")
        assert webserver["ports"] == [f"127.0.0.1:{shown}:{shown}"]
        assert f":{shown}/" in webserver["healthcheck"]["test"][-1]
        assert f"<http://localhost:{shown}>" in PAGE
        behind = option(cognee["command"], "--port")
        assert EXAMPLE[SERVICE_URL_VARIABLE] == f"http://cognee:{behind}"
        assert f":{behind}/health" in cognee["healthcheck"]["test"][-1]
        database = services()["postgres"]
        assert code["environment"]["DAGSTER_POSTGRES_HOST"] == "postgres"
        assert code["environment"]["DAGSTER_POSTGRES_PORT"] == option(database["healthcheck"]["test"], "-p")
        for ours, theirs in (("USER", "POSTGRES_USER"), ("DB", "POSTGRES_DB")):
            assert code["environment"][f"DAGSTER_POSTGRES_{ours}"] == database["environment"][theirs]

    def test_the_instance_reads_the_variables_that_its_services_get_and_no_other(self) -> None:
        read = {value for key, value in pairs(deployed("dagster.yaml")) if key == "env"}
        for name in OUR_SERVICES:
            assert {v for v in services()[name]["environment"] if v.startswith("DAGSTER_POSTGRES_")} == read

    def test_the_code_location_understands_its_variables(self) -> None:
        variables = code_environment()
        settings = CodeLocationSettings.read(variables)
        (dataset,) = settings.cognee_datasets()
        mounted = dict(volume.split(":")[1::-1] for volume in services()["code"]["volumes"])
        assert settings.archives in mounted
        assert isinstance(dataset.graph, str)
        directory, _, file = dataset.graph.rpartition("/")
        assert mounted[directory] == "./graphs"
        assert (DEPLOY / "graphs" / file).is_file()
        assert {SERVICE_URL_VARIABLE, API_KEY_VARIABLE} <= set(EXAMPLE)
        assert {SYSTEM_ROOT_VARIABLE, DATA_ROOT_VARIABLE} <= set(services()["cognee"]["environment"])

    def test_only_the_code_location_gets_the_key(self) -> None:
        assert [name for name, service in services().items() if "env_file" in service] == ["code"]
        assert not [name for name in OUR_SERVICES if API_KEY_VARIABLE in services()[name]["environment"]]

    def test_what_is_filled_in_is_in_the_example(self) -> None:
        asked = set(re.findall(r"\$\{(\w+):\?", COMPOSE))
        assert asked <= set(EXAMPLE)
        assert all(not EXAMPLE[name] for name in asked), "an example that works as it is would be somebody's password"

    def test_the_page_names_services_and_profiles_that_there_are(self) -> None:
        assert re.findall(r"^\| `(\w+)` \|", PAGE, flags=re.MULTILINE) == [
            *("code", "webserver", "daemon", "postgres", "cognee")
        ]
        profiles = {profile for service in services().values() for profile in service.get("profiles", [])}
        assert set(re.findall(r"--profile (\w+)", PAGE)) == profiles
        assert set(re.findall(r" exec (\w+) ", PAGE)) <= set(services())
        for path in re.findall(r"\bdeploy/[\w./-]*\w", PAGE):
            assert (ROOT / path).exists() or path == "deploy/.env", path


class TestInstance:
    def test_dagster_takes_it_as_it_is_but_for_the_database(self, tmp_path: Path) -> None:
        settings = deployed("dagster.yaml")
        assert set(settings.pop("storage")) == {"postgres"}
        (tmp_path / "dagster.yaml").write_text(yaml.safe_dump(settings))
        with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
            pools = instance.get_concurrency_config().pool_config
            assert pools.default_pool_limit == settings["concurrency"]["pools"]["default_limit"]
            assert pools.pool_granularity is not None
            assert pools.pool_granularity.value == "op"
            assert instance.run_monitoring_enabled
            assert instance.run_monitoring_settings["free_slots_after_run_end_seconds"] > 0

    def test_on_kubernetes_it_says_the_same(self) -> None:
        settings, values = deployed("dagster.yaml"), deployed("helm-values.yaml")
        more = values["additionalInstanceConfig"]
        assert more == {name: settings[name] for name in ("concurrency", "run_monitoring")}
        assert values["telemetry"] == settings["telemetry"]
        # Else the chart would write the same key a second time.
        assert values["dagsterDaemon"] == {"runMonitoring": {"enabled": False}}


class TestChartValues:
    def test_the_chart_knows_every_key(self) -> None:
        values = deployed("helm-values.yaml")
        assert set(values) == set(CHART)
        for name, known in CHART.items():
            if isinstance(known, set):
                assert set(values[name]) <= known, name
        (deployment,) = values["dagster-user-deployments"]["deployments"]
        assert set(deployment) <= CHART_DEPLOYMENT
        assert values["runLauncher"]["type"] == "K8sRunLauncher"
        assert set(values["runLauncher"]["config"]) == {"k8sRunLauncher"}

    def test_the_code_location_understands_its_variables(self) -> None:
        (deployment,) = deployed("helm-values.yaml")["dagster-user-deployments"]["deployments"]
        settings = CodeLocationSettings.read(deployment["env"])
        assert [dataset.name for dataset in settings.cognee_datasets()] == ["people"]
        assert settings.archives.startswith("s3://")
        assert deployment["image"]["tag"] == __version__
        secrets = {name for words in re.findall(r"kubectl create secret generic (\S+)", PAGE) for name in [words]}
        assert secrets == {deployed("helm-values.yaml")["global"]["postgresqlSecretName"], "cognee-dagster"}
        assert [secret["name"] for secret in deployment["envSecrets"]] == ["cognee-dagster"]


@pytest.mark.parametrize("name", ["compose.yaml", "dagster.yaml", "helm-values.yaml"])
def test_no_secret_is_written_down(name: str) -> None:
    for key, value in pairs(deployed(name)):
        if re.search(r"(key|token|secret|password)$", key, re.IGNORECASE) and isinstance(value, str):
            assert re.fullmatch(r"\$\{\w+:(\?.*|-none)\}|/run/secrets/\w+", value), key
