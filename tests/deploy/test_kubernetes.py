"""The kustomization: what it names exists, and pods are what a cluster that trusts nobody lets in."""

from typing import Any

import pytest
import yaml

from streams.capacity.figures import values
from streams.capacity.sizing import Load, size
from streams.settings import Settings
from streams.telemetry.alerts import WORKERS
from streams.telemetry.catalogue import series
from tests.deploy.reading import (
    BASE,
    DEPLOY,
    OVERLAYS,
    by_kind,
    containers,
    document,
    resources,
    workloads,
)
from tests.telemetry.promql import pairs_of, series_of

PORT = Settings.model_fields["metrics_port"].default
API = {
    "Namespace": "v1", "ConfigMap": "v1", "Service": "v1", "StatefulSet": "apps/v1",
    "Deployment": "apps/v1", "PodDisruptionBudget": "policy/v1",
    "NetworkPolicy": "networking.k8s.io/v1", "ScaledObject": "keda.sh/v1alpha1",
}  # fmt: skip


def patched(overlay: str) -> dict[tuple[str, str], dict[str, Any]]:
    """(kind, name) -> object with the overlay's patches; KeyError where one replaces what is not there."""
    found = {(one["kind"], one["metadata"]["name"]): one for one in resources()}
    kustomization = document(DEPLOY / "kubernetes" / "overlays" / overlay / "kustomization.yaml")
    for patch in kustomization["patches"]:
        target = found[patch["target"]["kind"], patch["target"]["name"]]
        for operation in yaml.safe_load(patch["patch"]):
            assert operation["op"] == "replace"
            *path, last = operation["path"].strip("/").split("/")
            place: Any = target
            for part in path:
                place = place[int(part)] if isinstance(place, list) else place[part]
            assert type(place[last]) is type(operation["value"]), operation
            place[last] = operation["value"]
    return found


def _redis(workload: dict[str, Any]) -> dict[str, Any]:
    (container,) = workload["template"]["spec"]["containers"]
    return dict(container)


def test_every_file_is_in_the_kustomization_and_every_object_has_its_api() -> None:
    named = document(BASE / "kustomization.yaml")["resources"]
    assert {*named, "kustomization.yaml"} == {path.name for path in BASE.iterdir()}
    assert all(one["apiVersion"] == API[one["kind"]] for one in resources())
    keys = [(one["kind"], one["metadata"]["name"]) for one in resources()]
    assert len(keys) == len(set(keys))


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_an_overlay_is_the_base_with_patches_that_have_a_target(overlay: str) -> None:
    folder = DEPLOY / "kubernetes" / "overlays" / overlay
    (base,) = document(folder / "kustomization.yaml")["resources"]
    assert (folder / base).resolve() == BASE
    assert patched(overlay)


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_keda_adds_no_worker_that_would_have_no_partition(overlay: str) -> None:
    found = patched(overlay)
    scaled = found["ScaledObject", "worker"]["spec"]
    partitions = int(found["ConfigMap", "huitou"]["data"]["HUITOU_PARTITIONS"])
    replicas = found["StatefulSet", "worker"]["spec"]["replicas"]
    assert scaled["maxReplicaCount"] == partitions
    assert scaled["minReplicaCount"] == scaled["fallback"]["replicas"] == replicas <= partitions


@pytest.mark.parametrize(
    ("overlay", "load"),
    [
        ("small", Load(10_000, 2_000_000, 30)),
        ("medium", Load(100_000, 10_000_000, 30)),
        ("peak", Load(1_000_000, 100_000_000, 30)),
    ],
)
def test_an_overlay_is_as_large_as_it_says(overlay: str, load: Load) -> None:
    """Redis holds what `huitou size` asks for, in shards of the overlay's memory, and partitions suffice."""
    found = patched(overlay)
    redis = found["StatefulSet", "redis"]["spec"]
    memory = _redis(redis)["resources"]["limits"]["memory"]
    wanted = size(load, values({"shard-gb": float(memory.removesuffix("Gi")) * 2**30 / 1e9}))
    assert int(found["ConfigMap", "huitou"]["data"]["HUITOU_PARTITIONS"]) >= wanted.partitions
    assert found["StatefulSet", "worker"]["spec"]["replicas"] >= wanted.workers
    (most,) = [one["value"] for one in _redis(redis)["env"] if one["name"] == "MAXMEMORY"]
    assert float(most.removesuffix("mb")) * 1.5 <= float(memory.removesuffix("Gi")) * 1024
    assert redis["replicas"] >= wanted.redis_shards.count


def test_keda_asks_for_a_metric_that_is_served() -> None:
    (scaled,) = by_kind("ScaledObject").values()
    reference = scaled["spec"]["scaleTargetRef"]
    assert reference["name"] in by_kind(reference["kind"])
    (trigger,) = scaled["spec"]["triggers"]
    query = trigger["metadata"]["query"]
    assert series_of(query) <= series()
    assert ("job", WORKERS) in pairs_of(query)


@pytest.mark.parametrize(
    ("name", "pod", "container"), [*containers()], ids=[name for name, _, _ in containers()]
)
def test_a_pod_is_let_in_where_restricted_is_enforced(
    name: str, pod: dict[str, Any], container: dict[str, Any]
) -> None:
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] > 0
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert (
        container["resources"]["limits"]["memory"] == container["resources"]["requests"]["memory"]
    )
    mounted = {one["name"] for one in container["volumeMounts"]}
    claimed = {
        one["metadata"]["name"] for one in workloads()[name]["spec"].get("volumeClaimTemplates", ())
    }
    assert mounted == claimed | {one["name"] for one in pod.get("volumes", ())}


@pytest.mark.parametrize(
    ("name", "container"), [(n, c) for n, _, c in containers()], ids=[n for n, _, _ in containers()]
)
def test_probes_ask_what_the_process_serves(name: str, container: dict[str, Any]) -> None:
    assert {"startupProbe", "livenessProbe"} <= set(container)
    ports = {one["name"]: one["containerPort"] for one in container["ports"]}
    paths = {
        kind: container[kind]["httpGet"]["path"]
        for kind in ("startupProbe", "livenessProbe", "readinessProbe")
        if "httpGet" in container.get(kind, ())
    }
    if name == "worker":
        assert paths == {
            "startupProbe": "/livez", "livenessProbe": "/livez", "readinessProbe": "/readyz",
        }  # fmt: skip
    if container["image"] == "huitou":
        assert ports == {"metrics": PORT}
        assert all(container[kind]["httpGet"]["port"] in ports for kind in paths)


def test_selectors_services_budgets_and_policies_meet_pods() -> None:
    labels = {
        name: one["spec"]["template"]["metadata"]["labels"] for name, one in workloads().items()
    }
    known = [*labels.values()]
    for name, one in workloads().items():
        assert one["spec"]["selector"]["matchLabels"] == labels[name]
        if one["kind"] == "StatefulSet":
            service = by_kind("Service")[one["spec"]["serviceName"]]["spec"]
            assert service["clusterIP"] == "None"
            assert service["selector"] == labels[name]
    assert {
        name: one["spec"]["selector"]["matchLabels"]
        for name, one in by_kind("PodDisruptionBudget").items()
    } == labels
    for name in ("worker", "redis"):
        affinity = workloads()[name]["spec"]["template"]["spec"]["affinity"]
        assert labels[name]["app.kubernetes.io/name"] in str(affinity["podAntiAffinity"])
    for policy in by_kind("NetworkPolicy").values():
        selector = policy["spec"]["podSelector"]
        if "matchLabels" in selector:
            assert selector["matchLabels"] in known


def test_what_is_not_named_reaches_nothing_and_nothing_reaches_it() -> None:
    policies = by_kind("NetworkPolicy")
    assert policies["nothing"]["spec"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    (scraped,) = policies["processes"]["spec"]["ingress"]
    assert scraped["ports"] == [{"protocol": "TCP", "port": PORT}]
    redis = Settings.model_fields["redis_url"].default.rpartition(":")[2].partition("/")[0]
    (reached,) = policies["worker-to-redis"]["spec"]["egress"]
    assert reached["ports"] == [{"protocol": "TCP", "port": int(redis)}]


def test_a_worker_s_slot_is_its_pod_s_ordinal_and_redis_one_it_accepts() -> None:
    (worker,) = [container for name, _, container in containers() if name == "worker"]
    (slot,) = worker["env"]
    assert slot["name"] == "HUITOU_SLOT"
    assert "pod-index" in slot["valueFrom"]["fieldRef"]["fieldPath"]
    (redis,) = [container for name, _, container in containers() if name == "redis"]
    arguments = " ".join(redis["args"])
    assert "--maxmemory $(MAXMEMORY)" in arguments
    assert "--appendonly yes" in arguments
    assert "--maxmemory-policy noeviction" in arguments
    assert by_kind("ConfigMap")["huitou"]["data"]["REDIS_URL"].startswith("redis+cluster://")
