"""The shipped files as Python's own values, and what a container in them is asked to do."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from streams.settings import Settings

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
BASE = DEPLOY / "kubernetes" / "base"
OVERLAYS = ("small", "medium", "peak")


class _Strict(yaml.SafeLoader):
    """A key that is given twice is an error, not the last one's word."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [key.value for key, _ in node.value if key.tag != "tag:yaml.org,2002:merge"]
        if len(keys) != len(set(keys)):
            raise yaml.constructor.ConstructorError(None, None, "a key twice", node.start_mark)
        return super().construct_mapping(node, deep)


def documents(path: Path) -> list[dict[str, Any]]:
    """All documents of a YAML file."""
    return list(yaml.load_all(path.read_text(encoding="utf-8"), Loader=_Strict))


def document(path: Path) -> dict[str, Any]:
    """The only document of a YAML file."""
    (only,) = documents(path)
    return only


@dataclass(frozen=True)
class Command:
    """What one container of huitou's image runs."""

    where: str
    arguments: tuple[str, ...]
    environment: dict[str, Any]


def resources() -> list[dict[str, Any]]:
    """The Kubernetes objects of the base, in the order of its kustomization."""
    names = document(BASE / "kustomization.yaml")["resources"]
    return [one for name in names for one in documents(BASE / name)]


def by_kind(kind: str) -> dict[str, dict[str, Any]]:
    """Name -> object."""
    return {one["metadata"]["name"]: one for one in resources() if one["kind"] == kind}


def workloads() -> dict[str, dict[str, Any]]:
    return by_kind("StatefulSet") | by_kind("Deployment")


def containers() -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    """(workload's name, its pod's spec, container)."""
    for name, one in workloads().items():
        pod = one["spec"]["template"]["spec"]
        for container in pod["containers"]:
            yield name, pod, container


def compose() -> dict[str, Any]:
    return document(DEPLOY / "compose.yaml")


def commands() -> list[Command]:
    """Every container of huitou's image, of compose and of Kubernetes."""
    found = [
        Command(f"compose {name}", tuple(one["command"]), one["environment"])
        for name, one in compose()["services"].items()
        if one["image"].startswith("huitou:")
    ]
    shared = by_kind("ConfigMap")["huitou"]["data"]
    for name, _, container in containers():
        if container["image"] == "huitou":
            own = {one["name"]: one.get("value") for one in container.get("env", ())}
            found.append(Command(f"kubernetes {name}", tuple(container["args"]), shared | own))
    return found


def setting_names() -> set[str]:
    """Every environment variable that streams/settings.py reads."""
    names: set[str] = set()
    for name, field in Settings.model_fields.items():
        alias = field.validation_alias
        choices = getattr(alias, "choices", None)
        names |= {str(one) for one in choices} if choices else {f"HUITOU_{name.upper()}"}
    return names
