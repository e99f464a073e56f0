"""`huitou draw`, run as a customer would: only with what was published."""

import json
import stat
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from streams.cli.draw import draw_app
from tests.prizes.recomputed import recompute

PRIZES = ("--prize", "car=1", "--prize", "a=b=9", "--prize", "回头 nothing=90")


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(draw_app, list(map(str, arguments)))


@pytest.fixture
def game(tmp_path: Path) -> tuple[Path, str]:
    """(the terms' file, the seed) of a game that is over."""
    done = run("new", "double-11", *PRIZES, "--seed-file", tmp_path / "seed")
    assert done.exit_code == 0, done.output
    terms = tmp_path / "terms.json"
    terms.write_text(done.stdout, encoding="utf-8")
    return terms, (tmp_path / "seed").read_text().strip()


def test_a_game_is_made_published_and_recomputed(game: tuple[Path, str], tmp_path: Path) -> None:
    terms, seed = game
    published = json.loads(terms.read_text(encoding="utf-8"))
    assert [(prize["name"], prize["weight"]) for prize in published["prizes"]] == [
        ("car", 1), ("a=b", 9), ("回头 nothing", 90),
    ]  # fmt: skip
    assert seed not in terms.read_text(encoding="utf-8")
    assert stat.S_IMODE((tmp_path / "seed").stat().st_mode) == 0o600
    for number in (1, 2, 3):
        done = run(
            "verify", terms, "--seed", seed, "--customer", "u-1", "--number", str(number), "--json"
        )
        assert done.exit_code == 0, done.output
        said = json.loads(done.stdout)
        assert said["prize"] == recompute(published, seed, "u-1", number)
        assert (said["customer"], said["number"], said["tickets"]) == ("u-1", number, 100)


def test_a_seed_is_never_overwritten(game: tuple[Path, str], tmp_path: Path) -> None:
    done = run("new", "double-11", *PRIZES, "--seed-file", tmp_path / "seed")
    assert done.exit_code == 78
    assert "exists: name another file" in done.stderr
    assert (tmp_path / "seed").read_text().strip() == game[1]


def test_two_games_have_two_seeds(tmp_path: Path) -> None:
    for name in "ab":
        assert run("new", "game", *PRIZES, "--seed-file", tmp_path / name).exit_code == 0
    assert (tmp_path / "a").read_text() != (tmp_path / "b").read_text()


def test_what_was_not_won_is_said(game: tuple[Path, str]) -> None:
    terms, seed = game
    won = recompute(json.loads(terms.read_text(encoding="utf-8")), seed, "u-1", 1)
    other = next(name for name in ("car", "a=b") if name != won)
    asked = ("verify", terms, "--seed", seed, "--customer", "u-1", "--prize")
    right, wrong, none = (run(*asked, name) for name in (won, other, "boat"))
    assert (right.exit_code, wrong.exit_code, none.exit_code) == (0, 1, 2)
    assert won in right.stdout
    assert "it was not" in wrong.stderr


def test_another_seed_is_refused(game: tuple[Path, str]) -> None:
    done = run("verify", game[0], "--seed", "00" * 32, "--customer", "u-1")
    assert done.exit_code == 78
    assert "not the seed of that game" in done.stderr


@pytest.mark.parametrize("seed", ["zz", "not hexadecimal"])
def test_what_is_no_seed_is_wrong_use(game: tuple[Path, str], seed: str) -> None:
    done = run("verify", game[0], "--seed", seed, "--customer", "u-1")
    assert done.exit_code == 2
    assert "64 hexadecimal digits" in done.stderr


@pytest.mark.parametrize("prize", ["car", "car=", "car=-1", "=1", "car=0", "car=１x"])
def test_a_prize_without_a_weight_is_wrong_use(tmp_path: Path, prize: str) -> None:
    done = run("new", "game", "--prize", prize, "--seed-file", tmp_path / "seed")
    assert done.exit_code == 2
    assert not (tmp_path / "seed").exists()


def test_terms_that_are_none_are_wrong_use(tmp_path: Path) -> None:
    (tmp_path / "terms.json").write_text('{"campaign": "game"}')
    for name in ("terms.json", "absent.json"):
        done = run("verify", tmp_path / name, "--seed", "00" * 32, "--customer", "u-1")
        assert done.exit_code == 2
        assert name in done.stderr


def test_a_customers_id_is_no_command_to_the_terminal(game: tuple[Path, str]) -> None:
    done = run("verify", game[0], "--seed", game[1], "--customer", "u\x1b[2J")
    assert "\x1b" not in done.stdout
    assert r"u\x1b[2J" in done.stdout
