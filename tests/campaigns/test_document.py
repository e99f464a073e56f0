"""docs/campaigns.md is current, and everything that it shows is right."""

import re
from pathlib import Path
from typing import Any

import fastjsonschema
import pytest
import yaml

from streams.authoring.document import DocumentError, with_parts
from streams.authoring.files import check_text
from streams.authoring.templates import templates
from streams.authoring.yaml_tree import yaml_tree
from streams.campaigns.language.conditions.asking import TESTS
from streams.campaigns.language.conditions.reading import read_condition
from streams.campaigns.language.definition.schema import definition_schema
from streams.campaigns.language.definition.triggers import TRIGGERS
from streams.campaigns.language.figures.catalogue import FIGURES
from streams.campaigns.language.problems import Reader
from streams.campaigns.language.tree import Fields

PAGE = (Path(__file__).parents[2] / "docs" / "campaigns.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
SCHEMA = definition_schema()


def test_the_generated_parts_are_current() -> None:
    assert with_parts(PAGE) == PAGE, "make docs"


def test_a_part_that_is_gone_is_missed() -> None:
    with pytest.raises(DocumentError, match="figures"):
        with_parts(PAGE.replace("<!-- generated: figures -->", ""))


def test_every_example_is_right() -> None:
    whole = [block for block in BLOCKS if block.startswith("campaign:")]
    audiences = [block for block in BLOCKS if block.startswith("audience:")]
    assert (len(whole), len(audiences)) == (1, len(BLOCKS) - 1)
    for block in whole:
        checked = check_text(block.encode(), "page")
        assert [each for each in checked.problems if each.severity == "error"] == []
        fastjsonschema.validate(SCHEMA, yaml.safe_load(block))
    for block in audiences:
        tree, reader = yaml_tree(block.encode()), Reader("CNY")
        assert isinstance(tree, Fields)
        assert read_condition(tree.entries[0].value, "audience", reader) is not None, (
            reader.problems
        )
        assert reader.problems == []
        fastjsonschema.validate({**SCHEMA, "required": []}, yaml.safe_load(block))


@pytest.mark.parametrize("name", FIGURES)
def test_the_example_of_every_figure_is_right(name: str) -> None:
    figure, reader = FIGURES[name], Reader("CNY")
    text = f"{name}: {figure.example}"
    assert read_condition(yaml_tree(text.encode()), "audience", reader) is not None, reader.problems
    assert [each.message for each in reader.problems if figure.missing not in each.message] == []
    assert f"| `{name}` |" in PAGE
    validate(name, yaml.safe_load(text))


def validate(name: str, written: Any) -> None:
    of = SCHEMA["definitions"]["condition"]["properties"][name]
    schema = {"properties": {name: of}, "definitions": SCHEMA["definitions"]}
    fastjsonschema.validate({**schema, "definitions": _used(of)}, written)


def _used(of: dict[str, Any]) -> dict[str, Any]:
    """The definitions that a figure refers to: compiling all of them takes long."""
    named = re.findall(r"#/definitions/(\w+)", str(of))
    return {name: SCHEMA["definitions"][name] for name in named}


def test_the_errors_that_it_shows_are_those_that_are_told() -> None:
    (block,) = [block for block in BLOCKS if block.startswith("campaign:")]
    wrong = block.replace("{lifecycle:", "{lifecycel:").replace("percent: 10", "percent: 0")
    said = [
        f"campaigns/cart-rescue.yaml:{each.place.line}:{each.place.column}: error: "
        f"{each.path}: {each.message}"
        for each in check_text(wrong.encode(), "page").problems
        if each.severity == "error"
    ]
    assert len(said) == 2
    assert "\n".join(said) in PAGE


def test_the_page_names_everything_and_says_what_does_not_run_yet() -> None:
    assert "The worker judges by what is applied" in PAGE
    for said in ("refused with the step `budget`", "are not told yet"):
        assert said in PAGE
    for name in (*TRIGGERS, *TESTS, *templates()):
        assert f"`{name}`" in PAGE, name
    assert f"# {len(templates())} to begin with" in PAGE


def test_the_explanation_that_it_shows_is_one_that_a_test_has_made() -> None:
    shown = re.findall(r"```\n(no: all.*?)```", PAGE, re.DOTALL)
    tested = Path(__file__).with_name("test_conditions.py").read_text(encoding="utf-8")
    assert len(shown) == 1
    assert all(f'"{line}",' in tested for line in shown[0].splitlines())
