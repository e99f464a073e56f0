"""`huitou webhook`: posts triggers to a URL of marketing's."""

import asyncio
import json
import signal
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from streams.cli.endings import EXIT_DOUBT, EXIT_REFUSED, EXIT_USAGE

if TYPE_CHECKING:
    from streams.settings import Settings
    from streams.subscribe import DeadLetters, DeduplicatingStore, Hooks, Retry, Summary
    from streams.subscribe.webhook import Webhook


def webhook(
    url: Annotated[str, typer.Option(help="Where triggers are posted to.")],
    secret_file: Annotated[
        Path,
        typer.Option(
            exists=True,
            dir_okay=False,
            help="Secrets that sign, one a line: whsec_ and base64 of 24 to 64 bytes.",
        ),
    ],
    store: Annotated[
        str,
        typer.Option(help="What was posted: sqlite:///PATH, redis://... or postgresql://..."),
    ],
    dead_letter_topic: Annotated[
        str | None, typer.Option(help="A topic of your own for what is given up.")
    ] = None,
    dead_letter_file: Annotated[
        Path | None, typer.Option(dir_okay=False, help="Or a file: a line of JSON each.")
    ] = None,
    group: Annotated[str, typer.Option(help="The consumer group.")] = "webhook",
    in_flight: Annotated[int, typer.Option(min=1, help="Customers posted for at once.")] = 16,
    attempts: Annotated[int, typer.Option(min=1, help="Of a trigger, then it is given up.")] = 8,
    first_wait: Annotated[float, typer.Option(min=0.0, help="Seconds after a failure.")] = 0.5,
    timeout: Annotated[float, typer.Option(min=0.1, help="Seconds for an answer.")] = 15.0,
    metrics_port: Annotated[
        int | None, typer.Option(min=0, max=65_535, help="Serve /metrics there; 0: a free port.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="At the end, one JSON object.")] = False,
) -> None:
    """Post triggers to a URL until SIGTERM or Ctrl-C: signed, at least once, in order per customer.

    The body is the record of shop.triggers; the headers webhook-id, webhook-timestamp and
    webhook-signature are those of Standard Webhooks. 2xx is success; 400, 413, 415 and 422 give the
    trigger up at once; 410 ends the bridge; everything else is tried again with backoff, not before
    Retry-After. A trigger past its expiry is given up, too. Run it again after anything: what was not
    posted comes, with the same webhook-id.
    Exit codes: 0 ended in order; 70 a doubt, start it again; 78 refused (410), do what it says.

    \b
    huitou webhook --url https://marketing.example/hook --secret-file hook.secret \\
        --store sqlite:///hook.sqlite --dead-letter-file hook-dead.jsonl
    huitou webhook --url https://marketing.example/hook --secret-file hook.secret \\
        --store redis://redis.example/1 --dead-letter-topic marketing.dead --group coupons --in-flight 64
    """
    if (dead_letter_topic is None) == (dead_letter_file is None):
        raise _end("say one of --dead-letter-topic and --dead-letter-file", EXIT_USAGE)
    try:
        from streams.subscribe.webhook import EndpointGone, Webhook
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package == "streams":
            raise
        raise _end(f"it needs {package}: pip install 'huitou[webhook]'", EXIT_USAGE) from None
    from streams.operations.logging import configure
    from streams.settings import Settings
    from streams.subscribe import DeadLetterFile, DeadLetterTopic, Retry, SubscribeError, open_store
    from streams.subscribe.signing import Signer

    settings = Settings()
    configure(settings.log_level)
    try:
        target = Webhook(url, Signer.of_file(secret_file), timeout=timeout)
        retry = Retry(attempts=attempts, first=first_wait)
        opened = open_store(store, group)
    except (ValueError, OSError, ModuleNotFoundError) as error:
        raise _end(error, EXIT_USAGE) from None
    except SubscribeError as error:
        raise _end(error, EXIT_DOUBT) from None
    letters: DeadLetters
    if dead_letter_file is not None:
        letters = DeadLetterFile(dead_letter_file)
    else:
        assert dead_letter_topic is not None
        letters = DeadLetterTopic(settings.kafka_bootstrap, dead_letter_topic)
    try:
        done = asyncio.run(
            _bridge(
                settings, group, target, opened, letters, retry, in_flight, timeout, metrics_port
            )
        )
    except EndpointGone as error:
        raise _end(error, EXIT_REFUSED) from None
    except (SubscribeError, OSError) as error:
        raise _end(error, EXIT_DOUBT) from None
    finally:
        letters.close()
        opened.close()
    if as_json:
        typer.echo(json.dumps(asdict(done)))
    else:
        typer.echo(
            f"{done.handled:,} posted, {done.repeated:,} came again and were not, "
            f"{done.dead_letters:,} dead letters"
        )


async def _bridge(
    settings: "Settings",
    group: str,
    target: "Webhook",
    store: "DeduplicatingStore",
    letters: "DeadLetters",
    retry: "Retry",
    in_flight: int,
    timeout: float,
    metrics_port: int | None,
) -> "Summary":
    from schemas.catalogue import TRIGGERS
    from streams.subscribe import TriggerSubscriber

    subscriber = TriggerSubscriber(
        settings.kafka_bootstrap,
        group,
        store=store,
        dead_letters=letters,
        topic=settings.topic_prefix + TRIGGERS,
        retry=retry,
        in_flight=in_flight,
        # The HTTP client ends first, and says why.
        handler_timeout=timeout + 5.0,
        hooks=_hooks(settings, metrics_port),
    )
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, subscriber.stop)
    async with target:
        return await subscriber.run(target)


def _hooks(settings: "Settings", port: int | None) -> "Hooks":
    from streams.subscribe import Hooks

    if port is None:
        return Hooks()
    from prometheus_client import CollectorRegistry, start_http_server

    from streams.subscribe.metrics import PrometheusHooks

    registry: CollectorRegistry = CollectorRegistry()
    hooks = PrometheusHooks(registry)
    server, _ = start_http_server(port, settings.metrics_host, registry)
    typer.echo(f"metrics on http://{settings.metrics_host}:{server.server_port}/metrics", err=True)
    return hooks


def _end(error: object, code: int) -> typer.Exit:
    typer.echo(f"huitou webhook: {error}", err=True)
    return typer.Exit(code)
