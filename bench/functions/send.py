"""The send route against the guide's algorithm, with latencies of 5 ms for DynamoDB and 20 ms for publishes.

Each subject is the whole function, `handle(event, context)`, in a process of its own; four worker processes replace
the deliver function that the queue would invoke. All of them use one fake AWS over HTTP (`bench.functions.fake_aws`).
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

from bench.harness import ROOT, compare
from contract.tables import CONVERSATION_COUNTERS, CONVERSATIONS, TABLES
from handlers.settings import CallsSettings, MessagesSettings

ROUNDS = 15
PARTICIPANTS = (2, 10, 100, 1000)
WORKERS = 4
_FANOUT_LIMIT = 20
_WARMUP = 2


def run(rounds: int) -> list[str]:
    """Return the tables: milliseconds to the response and to the last delivery, and the sender's peak memory."""
    lines: list[str] = []
    with ExitStack() as stack:
        port = stack.enter_context(fake_aws())
        environment = function_environment(port)
        for _ in range(WORKERS):
            stack.enter_context(_process(["bench.functions.send", "worker", str(port)], environment))
        guide = stack.enter_context(_Subject("bench.functions.guide_send", port, environment))
        ours = stack.enter_context(_Subject("handlers.entry.messages", port, environment))
        subjects = {"guide": guide, "send route": ours}
        memory: dict[int, list[float]] = {}
        for participants in PARTICIPANTS:
            lines += _sizes(subjects, participants, rounds)
            memory[participants] = [subject.memory() for subject in subjects.values()]
    lines.append("peak memory of the sending process (MB): participants, guide, send route")
    lines += [f"  {count:5}  {peaks[0]:7.1f}  {peaks[1]:7.1f}" for count, peaks in memory.items()]
    return lines


def _sizes(subjects: dict[str, _Subject], participants: int, rounds: int) -> list[str]:
    """Return both tables of one group size; each send is measured for both."""
    delivered: dict[str, list[float]] = {name: [] for name in subjects}

    def answered(name: str) -> float:
        to_answer, to_last_delivery = subjects[name].send(participants)
        delivered[name].append(to_last_delivery)
        return to_answer

    title = f"{participants} participants: request to"
    runs = {name: partial(answered, name) for name in subjects}
    lines = compare(f"{title} response", "ms", runs, rounds=rounds, warmup=_WARMUP).lines()
    figures = {name: partial(next, iter(values)) for name, values in delivered.items()}
    return lines + compare(f"{title} last delivery", "ms", figures, rounds=rounds, warmup=_WARMUP).lines()


@contextmanager
def fake_aws() -> Iterator[int]:
    """Run the fake AWS; gives its port."""
    port = _free_port()
    with _process(["bench.functions.fake_aws", str(port)], dict(os.environ)):
        _wait_for(port)
        yield port


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def function_environment(port: int) -> dict[str, str]:
    """Return the environment variables of a function that uses the fake AWS."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    environment |= {table.setting: table.name("bench") for table in TABLES}
    environment |= {
        "ENVIRONMENT": "bench",
        "EVENTS_HTTP_ENDPOINT": f"http://127.0.0.1:{port}/event",
        "DELIVERY_QUEUE_URL": f"http://127.0.0.1:{port}/000000000000/delivery",
        "FANOUT_LIMIT": str(_FANOUT_LIMIT),
        "RING_QUEUE_URL": f"http://127.0.0.1:{port}/000000000000/rings",
        "RING_TIMEOUT_SECONDS": "45",
        "MEDIA_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "bench",
        "AWS_SECRET_ACCESS_KEY": "bench",
    }
    missing = {*MessagesSettings.variables(), *CallsSettings.variables()} - set(environment)
    if missing:
        raise RuntimeError(f"the benchmark does not set {', '.join(sorted(missing))}")
    return environment


def request_event(conversation_id: str, sender: str) -> dict[str, Any]:
    """Return the HTTP API event (payload format 2.0) of one send."""
    return {
        "version": "2.0",
        "routeKey": "POST /api/messages/send",
        "rawPath": "/api/messages/send",
        "headers": {"content-type": "application/json"},
        "requestContext": {
            "requestId": str(uuid.uuid4()),
            "http": {"method": "POST", "path": "/api/messages/send"},
            "authorizer": {"jwt": {"claims": {"sub": sender, "token_use": "access"}, "scopes": None}},
        },
        "body": json.dumps({"conversationId": conversation_id, "content": "hello", "tempId": str(uuid.uuid4())}),
        "isBase64Encoded": False,
    }


def conversation_items(conversation_id: str, participants: list[str]) -> list[dict[str, Any]]:
    """Return a conversation's item, and that of its counter if it is a group, each with the name of its table.

    With two participants it is a direct conversation.
    """
    items = [{"table": CONVERSATIONS.name("bench"), "item": _conversation_item(conversation_id, participants)}]
    if len(participants) > 2:
        counter = {
            "conversationId": {"S": conversation_id},
            "version": {"N": "1"},
            "pendingSeq": {"M": {}},
            "pendingAt": {"M": {}},
        }
        items.append({"table": CONVERSATION_COUNTERS.name("bench"), "item": counter})
    return items


def _conversation_item(conversation_id: str, participants: list[str]) -> dict[str, Any]:
    now = "2026-01-01T00:00:00.000Z"
    return {
        "conversationId": {"S": conversation_id},
        "type": {"S": "DM" if len(participants) == 2 else "GROUP"},
        "participants": {"L": [{"S": each} for each in participants]},
        "admins": {"L": [{"S": participants[0]}]},
        "createdBy": {"S": participants[0]},
        "createdAt": {"S": now},
        "updatedAt": {"S": now},
        "version": {"N": "1"},
        "latestSeq": {"N": "0"},
        "latestChange": {"N": "0"},
    }


class _Subject:
    """One function in a process of its own, which keeps clients and caches between sends like a warm Lambda."""

    def __init__(self, module: str, port: int, environment: dict[str, str]) -> None:
        self._port = port
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.functions.send", "subject", module],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self._conversations: dict[int, tuple[str, list[str]]] = {}

    def __enter__(self) -> _Subject:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    def send(self, count: int) -> tuple[float, float]:
        """Send to so many participants; return milliseconds to the response and to the last delivery."""
        if count not in self._conversations:
            self._conversations[count] = (str(uuid.uuid4()), [str(uuid.uuid4()) for _ in range(count)])
        conversation_id, users = self._conversations[count]
        _post(self._port, "/bench/reset", {"items": conversation_items(conversation_id, users)})
        answer = self._ask(request_event(conversation_id, users[0]))
        if answer["statusCode"] != 200:
            raise RuntimeError(f"status {answer['statusCode']} for the send: {answer['body']}")
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            published = _get(self._port, "/bench/published")
            if published["count"] >= count:
                return answer["milliseconds"], (published["last"] - answer["started"]) * 1000
            time.sleep(0.002)
        raise RuntimeError(f"only {published['count']} of {count} events were published")

    def memory(self) -> float:
        """Return the process's peak memory in MB."""
        return float(self._ask(None)["peak"])

    def _ask(self, event: dict[str, Any] | None) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(event) + "\n")
        self._process.stdin.flush()
        while line := self._process.stdout.readline():
            if line.startswith("answer "):
                answer: dict[str, Any] = json.loads(line[7:])
                return answer
        raise RuntimeError("the subject's process ended")


@contextmanager
def _process(arguments: list[str], environment: dict[str, str]) -> Iterator[None]:
    process = subprocess.Popen(
        [sys.executable, "-m", *arguments],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        process.kill()
        process.wait()


def _wait_for(port: int) -> None:
    for _ in range(200):
        try:
            _get(port, "/bench/published")
            return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.05)
    raise RuntimeError("the fake AWS does not start")


def _get(port: int, path: str) -> dict[str, Any]:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=30) as answer:
        body: dict[str, Any] = json.loads(answer.read() or b"{}")
        return body


def _post(port: int, path: str, body: dict[str, Any]) -> None:
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", json.dumps(body).encode(), method="POST")
    request.add_header("content-type", "application/json")
    urllib.request.urlopen(request, timeout=30).read()


def _subject(module: str) -> None:
    """Serve events from standard input, as the Lambda runtime would."""
    handle = importlib.import_module(module).handle
    for line in sys.stdin:
        event = json.loads(line)
        if event is None:
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            print("answer " + json.dumps({"peak": peak}), flush=True)
            continue
        started = time.monotonic()
        answer = handle(event, None)
        milliseconds = (time.monotonic() - started) * 1000
        print(
            "answer "
            + json.dumps(
                {
                    "statusCode": answer["statusCode"],
                    "body": answer["body"][:200],
                    "milliseconds": milliseconds,
                    "started": started,
                }
            ),
            flush=True,
        )


def _worker(port: int) -> None:
    """Fetch the queue's messages and invoke the deliver function with them."""
    deliver = importlib.import_module("handlers.entry.deliver")
    while True:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/bench/next", timeout=30) as answer:
            if answer.status == 200:
                deliver.handle(json.loads(answer.read()), None)


if __name__ == "__main__":
    if sys.argv[1] == "subject":
        _subject(sys.argv[2])
    else:
        _worker(int(sys.argv[2]))
