"""A definition as YAML again, as `huitou campaigns check` reads it."""

from collections.abc import Mapping
from typing import Any

import yaml


def yaml_text(written: Mapping[str, Any]) -> str:
    """The canonical form of a definition as a file: an equal definition, so of the same version."""
    return str(yaml.safe_dump(dict(written), sort_keys=False, allow_unicode=True, width=100))
