"""`huitou draw`: the terms of a game whose draws anybody can recompute, and the recomputing."""

import json
import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from streams.cli.endings import EXIT_FOUND, EXIT_REFUSED, EXIT_USAGE
from streams.cli.printable import printable

if TYPE_CHECKING:
    from streams.campaigns.prizes.draw import Terms

draw_app = typer.Typer(
    help="Prizes by a seed that was committed to: docs/prizes.md.",
    no_args_is_help=True,
    add_completion=False,
)


@draw_app.command()
def new(
    campaign: Annotated[str, typer.Argument(help="The game's campaign.")],
    prize: Annotated[
        list[str], typer.Option(metavar="NAME=WEIGHT", help="In their order; give all of them.")
    ],
    seed_file: Annotated[
        Path, typer.Option(help="Where the secret seed goes; must not exist yet.")
    ],
) -> None:
    """Make a seed, keep it in a file, and print the terms to publish (JSON).

    The file is readable for its owner only. Publish the terms before the game, and the file's content
    after it. A file that exists is never overwritten (exit code 78): its game could not be proved any more.

    \b
    huitou draw new double-11 --prize "red packet=1" --prize "nothing=99" --seed-file secret > terms.json
    """  # fmt: skip
    import msgspec

    from streams.campaigns.prizes.draw import SEED_BYTES, Terms, commitment

    seed = secrets.token_bytes(SEED_BYTES)
    try:
        terms = msgspec.convert(
            {
                "campaign": campaign,
                "commitment": commitment(seed),
                "prizes": [_prize(each) for each in prize],
            },
            Terms,
        )
    except (msgspec.ValidationError, ValueError) as error:
        raise _end("new", str(error), EXIT_USAGE) from None
    try:
        # The mode from the start: between a creation and a chmod anybody could read it.
        kept = os.open(seed_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise _end("new", f"{seed_file} exists: name another file", EXIT_REFUSED) from None
    except OSError as error:
        raise _end("new", f"{seed_file}: {error.strerror}", EXIT_USAGE) from None
    with os.fdopen(kept, "w", encoding="ascii") as file:
        file.write(f"{seed.hex()}\n")
    typer.echo(msgspec.json.format(msgspec.json.encode(terms)).decode())


@draw_app.command()
def verify(
    terms_file: Annotated[Path, typer.Argument(metavar="TERMS", help="As they were published.")],
    customer: Annotated[str, typer.Option(help="The customer's id.")],
    seed: Annotated[
        str, typer.Option(help="As it was published after the game: 64 hexadecimal digits.")
    ],
    number: Annotated[int, typer.Option(min=1, help="Which of the customer's draws.")] = 1,
    prize: Annotated[
        str | None, typer.Option(help="What was said to be won: exit code 1 if it was not.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Recompute a draw from the published terms and seed.

    Needs nothing but them. Exit code 78: the seed is not the one that was committed to.

    \b
    huitou draw verify terms.json --seed 9f86d0...15b0f0 --customer u-1 --number 3
    huitou draw verify terms.json --seed 9f86d0...15b0f0 --customer u-1 --prize "red packet"
    """
    from streams.campaigns.prizes.draw import DrawError, draw

    terms = _terms(terms_file)
    if prize is not None and prize not in {each.name for each in terms.prizes}:
        raise _end("verify", f"the terms have no prize {prize!r}", EXIT_USAGE)
    try:
        drawn = draw(terms, bytes.fromhex(seed.strip()), customer, number)
    except DrawError as error:
        raise _end("verify", str(error), EXIT_REFUSED) from None
    except ValueError:
        raise _end("verify", "a seed is 64 hexadecimal digits", EXIT_USAGE) from None
    if as_json:
        said = {
            "customer": customer, "number": number, "prize": drawn.prize,
            "ticket": drawn.ticket, "tickets": drawn.tickets,
        }  # fmt: skip
        typer.echo(json.dumps(said, ensure_ascii=False))
    else:
        typer.echo(
            f"draw {number} of {printable(customer)}: {printable(drawn.prize)} "
            f"(ticket {drawn.ticket:,} of {drawn.tickets:,}, counted from 0)"
        )
    if prize not in (None, drawn.prize):
        raise _end("verify", f"it was not {prize!r}", EXIT_FOUND)


def _prize(text: str) -> dict[str, str | int]:
    name, equals, weight = text.rpartition("=")
    if not equals or not weight.isdecimal():
        raise ValueError(f'--prize {text!r}: write NAME=WEIGHT, as "red packet=1"')
    return {"name": name, "weight": int(weight)}


def _terms(path: Path) -> "Terms":
    import msgspec

    from streams.campaigns.prizes.draw import Terms

    try:
        return msgspec.json.decode(path.read_bytes(), type=Terms)
    except OSError as error:
        raise _end("verify", f"{path}: {error.strerror}", EXIT_USAGE) from None
    except msgspec.DecodeError as error:
        raise _end("verify", f"{path}: {error}", EXIT_USAGE) from None


def _end(command: str, said: str, code: int) -> typer.Exit:
    typer.echo(f"huitou draw {command}: {printable(said)}", err=True)
    return typer.Exit(code)
