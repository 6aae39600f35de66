"""A node at work: it asks the service for queries to evaluate and hands in what it signed.

    POST /panel/tasks?wait=s  {}                      -> {"task": {"query": doc, "manifest": digest, ...} or null}
    POST /panel/results       {"result", "statement"}
    PUT  /queries/<query>/requests/<digest>           for a task with "requests": what the key's holders wait for

Evaluation is deterministic, so a task that comes twice gets the same statement twice.
"""

import threading
from collections.abc import Mapping
from typing import Any, Protocol

from marketplace.documents import MAX_NUMBERS
from marketplace.documents.shapes import DIGEST, array
from marketplace.panel.evaluate import Evaluated, PanelNode
from marketplace.queries import timings
from marketplace.sdk.http.polling import Notice, idle, poll, task_in

WAIT_SECONDS = 20


class Service(Protocol):
    """What the agent needs of an sdk client."""

    def post(self, path: str, body: Any, *, repeatable: bool = False, wait: float = 0) -> Any:
        """POST JSON and return the answer's JSON."""

    def get_document(self, digest: str) -> Any:
        """The document with this digest, checked."""

    def put_request(self, query: str, content: bytes) -> str:
        """Upload one request of an attested result."""


class PanelAgent:
    """The loop.

    Args:
        client: signed in with the node's own keys. node: evaluates. notice: told what happens.
    """

    def __init__(self, client: Service, node: PanelNode, notice: Notice) -> None:
        self.client, self.node, self.notice = client, node, notice

    def step(self, wait: float = WAIT_SECONDS) -> bool:
        """Ask for one task, evaluate it and hand in the result; returns whether there was one.

        Raises:
            PortError: the service is away. MarketplaceError: it refused, or the task is malformed or does not hold.
        """
        with idle():
            answer = self.client.post("/panel/tasks", {}, repeatable=True, wait=wait)
        task = task_in(answer, "manifest", "query")
        if task is None:
            return False
        _check(task)
        if "requests" in task:
            self._upload(task)
            return True
        with timings.record("panel", task):
            done = self._evaluate(task)
        query = done.result["query"]
        self.notice(f"evaluated {query}: {done.statement['result']}", f"已计算 {query}")
        return True

    def _evaluate(self, task: Mapping[str, Any]) -> Evaluated:
        with timings.part("fetching"):
            manifest = self.client.get_document(task["manifest"])
        done = self.node.evaluate(manifest, task["query"])
        with timings.part("handing in"):
            self.client.post("/panel/results", {"result": done.result, "statement": done.statement}, repeatable=True)
        return done

    def _upload(self, task: Mapping[str, Any]) -> None:
        """Evaluate once more and upload the requests that the holders of the key wait for, one at a time."""
        manifest = self.client.get_document(task["manifest"])
        count = 0
        for request in self.node.requests(manifest, task["query"], task["requests"]):
            self.client.put_request(task["digest"], request)
            count += 1
        self.notice(f"uploaded {count} requests of {task['digest']}", f"已上传 {task['digest']} 的 {count} 个请求")

    def run(self, stop: threading.Event) -> None:
        """Work until `stop` is set; wait while the service is away."""
        poll(self.step, stop, self.notice)


def _check(task: Mapping[str, Any]) -> None:
    """Refuse a task that names something by what is no digest; the query is for the node to check."""
    DIGEST(task["manifest"], "task.manifest")
    if "requests" in task:
        DIGEST(task.get("digest"), "task.digest")
        array(DIGEST, MAX_NUMBERS)(task["requests"], "task.requests")
