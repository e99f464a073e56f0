"""`huitou topics`: makes the topics of the contract, and says where a cluster's differ."""

import json
from typing import Annotated, NoReturn

import typer

from streams.settings import Settings
from streams.topics import Creation, Difference, TopicsError, check_topics, create_topics

topics_app = typer.Typer(
    help="The topics of the contract, as HUITOU_PARTITIONS, HUITOU_REPLICATION and "
    "HUITOU_MIN_INSYNC_REPLICAS say.",
    no_args_is_help=True,
    add_completion=False,
)

#: What both commands exit with: topics that differ, and a cluster that does not answer.
DIFFERENT = 1
UNREACHABLE = 2

Json = Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")]


@topics_app.command()
def create(as_json: Json = False) -> None:
    """Make the topics that do not exist; refuse (exit 1) where existing ones differ."""
    try:
        done = create_topics(Settings())
    except TopicsError as error:
        _fail(error)
    if as_json:
        typer.echo(json.dumps(_creation_as_dict(done)))
    else:
        for name in done.created:
            typer.echo(f"created {name}")
        typer.echo(f"{len(done.created)} created, {len(done.existing)} existed")
        _print(done.differences)
    if done.differences:
        raise typer.Exit(DIFFERENT)


@topics_app.command()
def check(as_json: Json = False) -> None:
    """Name each difference between the cluster's topics and the contract; exit 1 for any."""
    try:
        differences = check_topics(Settings())
    except TopicsError as error:
        _fail(error)
    if as_json:
        typer.echo(json.dumps({"differences": [d.as_dict() for d in differences]}))
    else:
        _print(differences)
        if not differences:
            typer.echo("All topics are as the contract says.")
    if differences:
        raise typer.Exit(DIFFERENT)


def _creation_as_dict(done: Creation) -> dict[str, object]:
    return {
        "created": done.created,
        "existing": done.existing,
        "differences": [difference.as_dict() for difference in done.differences],
    }


def _print(differences: list[Difference]) -> None:
    for difference in differences:
        typer.echo(str(difference), err=True)


def _fail(error: TopicsError) -> NoReturn:
    typer.echo(f"huitou topics: {error}", err=True)
    raise typer.Exit(UNREACHABLE) from error
