"""What a process serves beside what the catalogue says of it."""

from prometheus_client.parser import text_string_to_metric_families

from streams.telemetry.catalogue import PROCESSES


def unlike_catalogue(process: str, exposition: str) -> list[str]:
    """A sentence for each difference of names, kinds, help, labels, label values and buckets."""
    families = {}
    for family in text_string_to_metric_families(exposition):
        families[family.name + ("_total" if family.type == "counter" else "")] = family
    wanted = {metric.name: metric for metric in PROCESSES[process]}
    found = [f"not served: {name}" for name in wanted.keys() - families.keys()]
    found += [f"not in the catalogue: {name}" for name in families.keys() - wanted.keys()]
    for name in wanted.keys() & families.keys():
        metric, family = wanted[name], families[name]
        if family.type != metric.kind:
            found.append(f"{name}: a {family.type}, not a {metric.kind}")
        if not name.startswith("process_") and family.documentation != metric.meaning:
            found.append(f"{name}: help {family.documentation!r}")
        known = {label.name: label.values for label in metric.labels}
        edges: set[float] = set()
        for sample in family.samples:
            if sample.name not in metric.series:
                found.append(f"{name}: has {sample.name}")
            labels = dict(sample.labels)
            if le := labels.pop("le", None):
                edges.add(float(le))
            if labels.keys() != known.keys():
                found.append(f"{name}: labels {sorted(labels)}")
            found += [
                f"{name}: {label}={value}"
                for label, value in labels.items()
                if known.get(label) and value not in known[label]
            ]
        if edges and edges != {*map(float, metric.edges), float("inf")}:
            found.append(f"{name}: buckets {sorted(edges)}")
    return sorted(found)
