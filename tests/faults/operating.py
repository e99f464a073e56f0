"""The operator: changes what no worker may, and runs the command that a refusing worker names."""

import re
import signal
from pathlib import Path

from confluent_kafka import ConsumerGroupTopicPartitions, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

from schemas.catalogue import CUSTOMER_TOPICS
from streams.engine.log import LogReader
from streams.settings import Settings
from tests.engine.harness import run_cli
from tests.faults.tally import Tally
from tests.faults.workers import Refusal, Workers
from tests.waiting import wait_for

#: Folding a whole journal again takes a while.
_COMMAND_SECONDS = 900.0
_EMPTY_GROUP_SECONDS = 120.0
_ANSWER_SECONDS = 60.0
_NAMED = re.compile(r"huitou ((?:rebuild --partition \d+)|(?:group adopt))")


class RepairFailed(Exception):
    """A worker named no command, or the command did not help."""


class Operator:
    """Works on the servers directly, as ``settings`` say."""

    def __init__(self, settings: Settings, workers: Workers, tally: Tally) -> None:
        self._settings = settings
        self._workers = workers
        self._tally = tally

    def obey(self, refusal: Refusal, *, everywhere: bool = False) -> None:
        """Stops the workers and runs the command that the refusal names, ``everywhere``: for every
        partition; the caller starts workers again. Raises RepairFailed."""
        named = _NAMED.search(refusal.words)
        if named is None:
            raise RepairFailed(f"no command is named by: {refusal}")
        words = named[1].split()
        if words[0] == "rebuild":
            words = [*(words[:1] if everywhere else words), "--yes"]
        tree = self._workers.slots[refusal.slot].tree
        self._workers.stop()
        self._run(words, tree)
        self._tally.repaired[refusal.case] += 1
        self._workers.refused = None

    def _run(self, words: list[str], tree: Path | None) -> None:
        done = run_cli(self._settings, *words, timeout=_COMMAND_SECONDS, tree=tree)
        if done.returncode != 0:
            raise RepairFailed(
                f"huitou {' '.join(words)} ended with {done.returncode}: {done.stdout}{done.stderr}"
            )

    def reset_offsets(self, form: int) -> str:
        """Kills all workers and changes the group's offsets from outside; returns what was done.

        ``form``: 0 all to the topics' beginnings, 1 one partition of one topic to its end, 2 the group
        deleted.
        """
        self._workers.stop(signal.SIGKILL)
        admin = AdminClient({"bootstrap.servers": self._settings.kafka_bootstrap})
        group = self._settings.group
        wait_for(lambda: self._empty(admin), _EMPTY_GROUP_SECONDS, f"group {group} to be empty")
        if form == 2:
            admin.delete_consumer_groups([group])[group].result(_ANSWER_SECONDS)
            self._workers.group_deleted()
            return "group deleted"
        names = [self._settings.topic_prefix + topic for topic in CUSTOMER_TOPICS]
        places = [(t, n) for t in names for n in range(self._settings.partitions)]
        if form == 1:
            with LogReader(self._settings.kafka_bootstrap) as log:
                offsets = log.high_watermarks(places[-1:])
        else:
            offsets = dict.fromkeys(places, 0)
        wanted = [TopicPartition(*place, offset) for place, offset in offsets.items()]
        request = [ConsumerGroupTopicPartitions(group, wanted)]
        admin.alter_consumer_group_offsets(request)[group].result(_ANSWER_SECONDS)
        return "one to the end" if form == 1 else "all to the beginning"

    def _empty(self, admin: AdminClient) -> bool:
        group = self._settings.group
        try:
            found = admin.describe_consumer_groups([group])[group].result(_ANSWER_SECONDS)
        except KafkaException:
            return False  # its coordinator moves
        return not found.members
