"""Campaigns' files: one definition each, a folder of them; what is wrong in which file, line and column."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from streams.authoring.yaml_tree import YamlError, yaml_tree
from streams.campaigns.language.definition.definition import CampaignDefinition, version_of
from streams.campaigns.language.definition.reading import read_definition
from streams.campaigns.language.problems import Problem
from streams.campaigns.language.tree import Place

SUFFIXES: Final = (".yaml", ".yml")
#: Files of a folder; a shop has some dozens of campaigns.
MOST_FILES: Final = 1_000


class FilesError(Exception):
    """What was named is no file and no folder with files of campaigns; says what to do."""


class Checked(msgspec.Struct, frozen=True):
    """A file with its definition and version (None: refused), and what is wrong with it, in order."""

    path: str
    definition: CampaignDefinition | None
    version: str | None
    problems: tuple[Problem, ...]


def campaign_files(path: Path) -> list[Path]:
    """``path`` itself where it is a file; of a folder all that end in .yaml or .yml, by name.

    Raises FilesError.
    """
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise FilesError(
            f"{path} is not there: name a file, or a folder of {' and '.join(SUFFIXES)} files"
        )
    found = sorted(each for each in path.rglob("*") if each.suffix in SUFFIXES and each.is_file())
    if not found:
        raise FilesError(f"{path} has no file that ends in {' or '.join(SUFFIXES)}")
    if len(found) > MOST_FILES:
        raise FilesError(
            f"{path} has {len(found):,} files: at most {MOST_FILES:,} are checked at once"
        )
    return found


def check_text(data: bytes, path: str) -> Checked:
    """What one file's bytes say; ``path`` is only told."""
    try:
        tree = yaml_tree(data)
    except YamlError as error:
        return Checked(path, None, None, (error.problem,))
    definition, problems = read_definition(tree)
    version = None if definition is None else version_of(definition)
    return Checked(path, definition, version, problems)


def check_files(paths: Sequence[Path]) -> list[Checked]:
    """Each file by itself, then that no name is there twice. Raises FilesError where one cannot be read."""
    found: list[Checked] = []
    named: dict[str, str] = {}
    for path in paths:
        try:
            data = path.read_bytes()
        except OSError as error:
            raise FilesError(f"{path}: {error.strerror}") from None
        checked = check_text(data, str(path))
        name = None if checked.definition is None else checked.definition.campaign
        if name is not None and name in named:
            twice = Problem(
                Place(1, 1), "campaign", f"{name!r} is in {named[name]}, too: one file a campaign"
            )
            checked = Checked(checked.path, None, None, (twice, *checked.problems))
        elif name is not None:
            named[name] = str(path)
        found.append(checked)
    return found
