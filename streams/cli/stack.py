"""`huitou stack`: the local Kafka and Redis, which go on running after the command."""

import json
import shlex
from pathlib import Path
from typing import Annotated

import typer

from streams.local import jars, tools
from streams.local.stack import GivenStack, LocalStack, Stack, choose_stack, default_folder

stack_app = typer.Typer(
    help="A local Kafka and Redis, which go on running until `huitou stack down`. With "
    "KAFKA_BOOTSTRAP and REDIS_URL set, those servers are used and nothing is started.",
    no_args_is_help=True,
    add_completion=False,
)

#: What `status` exits with when something is not running; systemctl's code for the same.
NOT_RUNNING = 3

Folder = Annotated[
    Path | None,
    typer.Option("--dir", help=f"The stack's folder (default: {default_folder()})."),
]
PortBase = Annotated[
    int | None,
    typer.Option(
        help="Kafka on this port, its controller on the next, Redis on the one after; "
        "without it, on free ports."
    ),
]
Json = Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")]


@stack_app.command()
def up(folder: Folder = None, port_base: PortBase = None, as_json: Json = False) -> None:
    """Start what is not running, and wait until both answer."""
    stack = choose_stack(folder, port_base).start()
    _show(stack, as_json)


@stack_app.command()
def down(folder: Folder = None) -> None:
    """Stop the servers that this folder's stack started; their data stays."""
    stack = choose_stack(folder)
    if isinstance(stack, GivenStack):
        typer.echo("KAFKA_BOOTSTRAP and REDIS_URL are set: those servers are not this stack's.")
        return
    stack.stop()
    typer.echo("Stopped. Its data stays; start it again with `huitou stack up`.")


@stack_app.command()
def status(folder: Folder = None, as_json: Json = False) -> None:
    """Show what runs; exit code 0 when all of it does, 3 when not."""
    stack = choose_stack(folder)
    if isinstance(stack, LocalStack) and not stack.exists:
        typer.echo(json.dumps({"running": False}) if as_json else f"No stack in {stack.folder}.")
        raise typer.Exit(NOT_RUNNING)
    _show(stack, as_json)
    if not _running(stack):
        raise typer.Exit(NOT_RUNNING)


@stack_app.command()
def env(folder: Folder = None, as_json: Json = False) -> None:
    """Print export lines for a shell: eval "$(huitou stack env)"."""
    environment = choose_stack(folder).environment()
    if as_json:
        typer.echo(json.dumps(environment))
        return
    for name, value in environment.items():
        typer.echo(f"export {name}={shlex.quote(value)}")


@stack_app.command()
def prepare() -> None:
    """Fetch what a stack runs on, without starting it: java, redis-server, Kafka's jars."""
    if isinstance(choose_stack(), GivenStack):
        return
    tools.require(tools.REDIS)
    tools.require(tools.JAVA)
    jars.kafka_class_path()


def _running(stack: Stack) -> bool:
    """Whether all servers of the stack run; given ones are taken to."""
    if not isinstance(stack, LocalStack):
        return True
    return stack.kafka_process.running and stack.redis_process.running


def _show(stack: Stack, as_json: bool) -> None:
    facts: dict[str, object] = {
        "running": _running(stack),
        "kafka_bootstrap": stack.kafka,
        "redis_url": stack.redis_url,
    }
    if isinstance(stack, LocalStack):
        facts |= {
            "folder": str(stack.folder),
            "kafka_pid": stack.kafka_process.pid,
            "redis_pid": stack.redis_process.pid,
        }
    if as_json:
        typer.echo(json.dumps(facts))
        return
    for server, address in (("kafka", stack.kafka), ("redis", stack.redis_url)):
        process = facts.get(f"{server}_pid", "not ours")
        typer.echo(f"{server:6} {address}  pid {process or '-'}")
    if isinstance(stack, LocalStack):
        typer.echo(f"folder {stack.folder}")
