"""`huitou campaigns`, as a marketing person runs it: no server is needed."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from streams.authoring.templates import schema_text, templates
from streams.campaigns.language.conditions.acts import ACTS
from streams.campaigns.language.figures.catalogue import FIGURES
from streams.cli.campaigns import campaigns_app

RIGHT = "campaign: {name}\ntrigger: joined_membership\noffer: {{message: {{text: Hi}}}}\nlimits: {{per_customer: 1/total}}\ndelivery: {{channels: sms}}\n"  # noqa: E501 - a file


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(campaigns_app, list(map(str, arguments)))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One right, one with two errors, one that is no YAML, one that is warned of."""
    files = {
        "a.yaml": RIGHT.format(name="a"),
        "b.yml": RIGHT.format(name="b").replace("sms", "pigeon").replace("1/total", "0/total"),
        "sub/c.yaml": "campaign: c\naudience: {rfm.m: >=3}\n",
        "d.yaml": RIGHT.format(name="d").replace("joined_membership", "birthday"),
        "notes.txt": "not a campaign",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def test_a_folder_is_checked_and_everything_wrong_is_told_with_its_place(folder: Path) -> None:
    done = run("check", folder)
    assert done.exit_code == 1
    lines = done.stdout.splitlines()
    assert lines[0].startswith(f"{folder}/a.yaml: a, version ")
    assert lines[1].startswith(
        f"{folder}/b.yml:4:24: error: limits.per_customer: '0/total' allows nothing"
    )
    assert lines[2].startswith(
        f"{folder}/b.yml:5:22: error: delivery.channels: 'pigeon' is not known here"
    )
    assert lines[3].startswith(
        f"{folder}/d.yaml:2:10: warning: trigger.birthday: nothing tells this"
    )
    assert lines[4].startswith(f"{folder}/d.yaml: d, version ")
    assert lines[5].startswith(f"{folder}/sub/c.yaml:2:19: error: no YAML: ")
    assert lines[5].endswith('a value that begins with > needs quotes, as ">3"')
    assert lines[6:] == ["4 campaigns checked: 3 errors, 1 warning"]


def test_the_same_as_json(folder: Path) -> None:
    done = run("check", folder, "--json")
    assert done.exit_code == 1
    said = json.loads(done.stdout)
    assert (said["errors"], said["warnings"]) == (3, 1)
    assert [Path(file["path"]).name for file in said["files"]] == [
        "a.yaml",
        "b.yml",
        "d.yaml",
        "c.yaml",
    ]
    assert said["files"][0]["campaign"] == "a"
    assert said["files"][1]["version"] is None
    assert said["files"][1]["problems"][0] == {
        "line": 4, "column": 24, "field": "limits.per_customer", "severity": "error",
        "message": "'0/total' allows nothing: a rate is above 0; to end a campaign, withdraw it",
    }  # fmt: skip


def test_warnings_alone_are_no_failure(folder: Path) -> None:
    done = run("check", folder / "d.yaml", folder / "a.yaml")
    assert done.exit_code == 0
    assert "2 campaigns checked: 0 errors, 1 warning" in done.stdout


def test_a_name_is_one_files(folder: Path) -> None:
    (folder / "e.yaml").write_text(RIGHT.format(name="a"), encoding="utf-8")
    done = run("check", folder / "a.yaml", folder / "e.yaml")
    assert done.exit_code == 1
    assert f"e.yaml:1:1: error: campaign: 'a' is in {folder}/a.yaml, too" in done.stdout
    assert run("check", folder / "a.yaml", folder / "a.yaml").exit_code == 0


def test_what_is_not_there_is_a_usage_error(folder: Path, tmp_path: Path) -> None:
    done = run("check", folder / "nowhere")
    assert done.exit_code == 2
    assert "is not there: name a file, or a folder" in done.stderr
    (tmp_path / "empty").mkdir()
    done = run("check", tmp_path / "empty")
    assert done.exit_code == 2
    assert "has no file that ends in .yaml or .yml" in done.stderr


def test_what_others_wrote_cannot_drive_the_terminal(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text('campaign: "a\\e[2Jb"\n', encoding="utf-8")
    done = run("check", file)
    assert "\x1b" not in done.stdout


def test_a_campaign_is_begun_from_a_template(tmp_path: Path) -> None:
    out = tmp_path / "campaigns" / "cart-rescue.yaml"
    done = run("new", "--template", "abandoned-cart", "--name", "cart-rescue", "--out", out)
    assert done.exit_code == 0, done.output
    assert "campaign: cart-rescue\n" in out.read_text(encoding="utf-8")
    assert (out.parent / "campaign.schema.json").read_text(encoding="utf-8") == schema_text()
    assert run("check", out.parent).exit_code == 0
    again = run("new", "--template", "birthday", "--out", out)
    assert again.exit_code == 78
    assert "exists: name another file" in again.stderr
    assert "campaign: cart-rescue\n" in out.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", templates())
def test_a_template_is_printed_as_it_is(name: str) -> None:
    assert run("new", "--template", name).stdout == templates()[name].text


@pytest.mark.parametrize("name", ["a b", "x\nlimits: 1", "x # y", "", "\\1", "x" * 33])
def test_a_name_that_no_campaign_can_have_is_refused(name: str) -> None:
    done = run("new", "--template", "birthday", "--name", name)
    assert done.exit_code == 2
    assert "a campaign's name has 1 to 32 letters" in done.stderr


def test_templates_are_listed() -> None:
    lines = run("new", "--list").stdout.splitlines()
    assert [line.split(": ")[0] for line in lines] == list(templates())
    assert list(json.loads(run("new", "--list", "--json").stdout)) == list(templates())
    assert run("new").exit_code == 2
    done = run("new", "--template", "brithday")
    assert done.exit_code == 2
    assert "did you mean 'birthday'?" in done.stderr


def test_figures_are_listed_whole() -> None:
    said = json.loads(run("figures", "--json").stdout)
    assert [each["name"] for each in said["figures"]] == list(FIGURES)
    assert [each["name"] for each in said["acts"]] == list(ACTS)
    (score,) = [each for each in said["figures"] if each["name"] == "rfm.m"]
    assert score == {
        "name": "rfm.m", "group": "Purchases and membership", "type": "count", "unit": None,
        "meaning": "Score of money, 1 to 5 (5: paid much).", "choices": None, "least": 1, "most": 5,
        "example": 'rfm.m: ">=3"', "missing": None,
    }  # fmt: skip
    assert "preferences" in run("figures").stdout


def test_the_schema_is_printed() -> None:
    assert run("schema").stdout == schema_text()


def test_the_command_is_there() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "streams.cli.main", "campaigns", "--help"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert all(name in done.stdout for name in ("check", "new", "figures", "schema", "not yet run"))
