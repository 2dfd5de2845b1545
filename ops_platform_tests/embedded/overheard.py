"""A second queue for the events of an emulated account: what AWS told, whatever became of it."""

import json
from collections.abc import Iterator

from ops_platform_tests.embedded.aws.accounts import Aws, Json

_NAME = "overheard"


class Overheard:
    """A queue that every rule of an account sends its events to as well."""

    def __init__(self, aws: Aws) -> None:
        self._sqs, events = aws.client("sqs"), aws.client("events")
        self._url = self._sqs.create_queue(QueueName=_NAME)["QueueUrl"]
        asked = self._sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"])
        target = {"Id": _NAME, "Arn": asked["Attributes"]["QueueArn"]}
        rules = events.list_rules()["Rules"]
        assert len(rules) == 3, "of jobs, of executions and of container instances"
        for rule in rules:
            events.put_targets(Rule=rule["Name"], Targets=[target])
        self.bodies: list[bytes] = []

    def listen(self) -> list[bytes]:
        """Take what has come since, and return everything so far."""
        self.bodies += self._received()
        return self.bodies

    def is_over(self) -> bool:
        """Tell whether all hosts are gone again: after that nothing more happens."""
        hosts: dict[str, str] = {}
        for event in map(json.loads, self.listen()):
            if event["source"] == "aws.ecs":
                hosts[event["detail"]["containerInstanceArn"]] = event["detail"]["status"]
        return bool(hosts) and set(hosts.values()) == {"INACTIVE"}

    def ids(self) -> set[str]:
        """Return the ids of the events so far."""
        return {json.loads(body)["id"] for body in self.listen()}

    def _received(self) -> Iterator[bytes]:
        while messages := self._batch():
            for message in messages:
                yield str(message["Body"]).encode()
                self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message["ReceiptHandle"])

    def _batch(self) -> list[Json]:
        answer = self._sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10)
        found: list[Json] = answer.get("Messages", [])
        return found
