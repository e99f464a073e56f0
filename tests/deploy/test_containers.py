"""Dockerfile and compose.yaml: commands and settings that exist, nothing that floats or is root."""

import re
import subprocess

import pytest

from streams.cli.main import COMMANDS, load
from streams.settings import Settings
from streams.telemetry.alerts import ALERTS, SINK, WORKERS
from streams.telemetry.objectives import OBJECTIVES
from tests.deploy.reading import DEPLOY, ROOT, Command, commands, compose, document, setting_names
from tests.project.test_locks import locked
from tests.telemetry.test_rules import needs_promtool

DOCKERFILE = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
SERVICES = compose()["services"]
PINNED = re.compile(r"^[a-z0-9./-]+:v?\d+\.\d+(\.\d+)?(-[a-z0-9.-]+)?$")
PORT = Settings.model_fields["metrics_port"].default


def options_of(command: object) -> set[str]:
    return {option for parameter in command.params for option in parameter.opts}  # type: ignore[attr-defined]


@pytest.mark.parametrize("command", commands(), ids=lambda one: one.where)
def test_a_container_runs_a_command_that_exists(command: Command) -> None:
    assert command.arguments[0] in COMMANDS
    called = load(command.arguments[0])
    rest = list(command.arguments[1:])
    if hasattr(called, "commands"):
        called = called.commands[rest.pop(0)]
    assert {one for one in rest if one.startswith("--")} <= options_of(called)


@pytest.mark.parametrize("command", commands(), ids=lambda one: one.where)
def test_a_container_s_variables_are_settings(command: Command) -> None:
    assert set(command.environment) <= setting_names()
    readable = {name: value for name, value in command.environment.items() if value is not None}
    values = {
        name.removeprefix("HUITOU_").lower(): value
        for name, value in readable.items()
        if name.startswith("HUITOU_")
    }
    Settings(**values)


def test_the_image_s_variables_are_settings_and_python_s() -> None:
    named = set(re.findall(r"^(?:ENV|   ) +([A-Z_]+)=", DOCKERFILE, re.MULTILINE))
    assert {"HUITOU_METRICS_HOST", "HUITOU_DATA_DIR"} <= named
    assert named - {"PATH", "PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE"} <= setting_names()


def test_the_image_runs_as_nobody_much_and_starts_huitou_itself() -> None:
    last = DOCKERFILE.split("\nFROM ")[-1]
    assert re.search(r"^USER 10001:10001$", last, re.MULTILINE)
    assert 'ENTRYPOINT ["huitou"]' in last
    assert f"EXPOSE {PORT}\n" in last
    bases = re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)
    assert len(bases) == 2
    assert all(PINNED.match(base) for base in bases)
    assert 'requires-python = ">=3.11"' in (ROOT / "pyproject.toml").read_text()


def test_the_image_is_made_of_what_is_there_and_locked() -> None:
    copied = [
        source
        for line in re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, re.MULTILINE)
        for source in line.split()[:-1]
    ]
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    for source in copied:
        assert (ROOT / source).exists(), source
        assert f"!{source}" in ignored, source
    (backend,) = re.findall(r"hatchling==(\S+)", DOCKERFILE)
    assert locked("requirements-dev.lock")["hatchling"] == backend


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_pinned_limited_and_watched(name: str) -> None:
    service = SERVICES[name]
    assert PINNED.match(service["image"])
    assert service["mem_limit"]
    assert service["cpus"]
    assert "no-new-privileges:true" in service["security_opt"]
    # What ends by itself has no health: who waits for it waits for its end.
    assert ("healthcheck" in service) != (name == "topics")
    if service["image"].startswith("huitou:"):
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert [one.split(":")[0] for one in service["tmpfs"]] == ["/tmp"]  # noqa: S108
        assert service["build"]["dockerfile"] == "deploy/Dockerfile"
    else:
        assert not any(key in service for key in ("privileged", "network_mode", "pid"))


def test_services_wait_for_others_that_exist_and_are_watched() -> None:
    for name, service in SERVICES.items():
        for other, how in service.get("depends_on", {}).items():
            assert other in SERVICES, name
            watched = "healthcheck" in SERVICES[other]
            wanted = "service_healthy" if watched else "service_completed_successfully"
            assert how["condition"] == wanted


def test_what_is_written_is_a_volume_and_what_is_mounted_exists() -> None:
    named, used = set(compose()["volumes"]), set()
    for service in SERVICES.values():
        for mount in service.get("volumes", ()):
            source = mount.split(":")[0]
            if source.startswith("."):
                assert (DEPLOY / source).is_dir(), source
                assert mount.endswith(":ro")
            else:
                used.add(source)
    assert used == named
    stateful = {"kafka", "redis", "postgres", "prometheus", "alertmanager", "grafana"}
    assert named == stateful


def test_workers_have_slots_of_their_own_and_redis_is_one_they_accept() -> None:
    slots = [
        service["environment"]["HUITOU_SLOT"]
        for service in SERVICES.values()
        if service.get("command") == ["worker"]
    ]
    assert slots == ["0", "1"]
    redis = " ".join(SERVICES["redis"]["command"])
    assert "--appendonly yes" in redis
    assert "--maxmemory-policy noeviction" in redis


def test_only_what_people_look_at_is_published_and_on_this_machine_alone() -> None:
    published = [port for one in SERVICES.values() for port in one.get("ports", ())]
    assert published
    assert all(port.startswith("127.0.0.1:") for port in published)


def test_prometheus_scrapes_what_compose_runs_under_the_names_of_the_alerts() -> None:
    scraped = document(DEPLOY / "prometheus" / "compose.yml")
    jobs = {
        one["job_name"]: one["static_configs"][0]["targets"] for one in scraped["scrape_configs"]
    }
    workers = [
        f"{name}:{PORT}" for name, one in SERVICES.items() if one.get("command") == ["worker"]
    ]
    assert jobs == {WORKERS: workers, SINK: [f"sink:{PORT}"]}
    sink = SERVICES["sink"]["command"]
    assert sink[sink.index("--metrics-port") + 1] == str(PORT)
    assert scraped["rule_files"] == document(DEPLOY / "prometheus" / "prometheus.yml")["rule_files"]


def test_alertmanager_knows_the_alerts_and_severities() -> None:
    config = document(DEPLOY / "alertmanager" / "alertmanager.yml")
    receivers = {one["name"] for one in config["receivers"]}
    assert {config["route"]["receiver"]} | {
        one["receiver"] for one in config["route"]["routes"]
    } == receivers
    rules = config["inhibit_rules"]
    matchers = str([one["source_matchers"] + one["target_matchers"] for one in rules])
    named = set(re.findall(r"[A-Z][A-Za-z]+", matchers))
    assert "NoWorker" in named
    assert named <= {one.name for one in ALERTS} | {one.alert for one in OBJECTIVES}


@needs_promtool
@pytest.mark.parametrize("name", ["prometheus.yml", "compose.yml"])
def test_promtool_accepts_the_configuration(name: str) -> None:
    done = subprocess.run(
        ["promtool", "check", "config", str(DEPLOY / "prometheus" / name)],
        check=False, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
