"""A signal ends an idle program at once, and lets one at work finish its task."""

import os
import signal
import threading
import time
from typing import Any

import pytest

from marketplace.errors import PortError
from marketplace.sdk.http.polling import idle, poll, task_in
from marketplace.sdk.opening import until_stopped

LONG = 20.0


def _terminate_after(seconds: float) -> None:
    threading.Timer(seconds, os.kill, (os.getpid(), signal.SIGTERM)).start()


def test_a_signal_ends_a_program_that_waits_for_a_task() -> None:
    def step() -> bool:
        with idle():
            time.sleep(LONG)
        raise AssertionError("nothing came")

    began = time.monotonic()
    with until_stopped() as stop:
        _terminate_after(0.1)
        poll(step, stop, lambda *_: None)
        assert stop.is_set()
    assert time.monotonic() - began < LONG / 4


def test_a_signal_lets_a_program_finish_the_task_in_hand() -> None:
    done = []

    def step() -> bool:
        with idle():
            pass
        time.sleep(0.3)
        done.append(True)
        return True

    with until_stopped() as stop:
        _terminate_after(0.1)
        poll(step, stop, lambda *_: None)
    assert done == [True]


def test_a_task_and_none() -> None:
    assert task_in({"task": None}) is None
    assert task_in({"task": {"query": 1, "more": 2}}, "query") == {"query": 1, "more": 2}


@pytest.mark.parametrize("answer", [None, [], {}, "task", 1, {"task": 1}, {"task": []}, {"task": {"a": 1}}])
def test_anything_else_is_an_error_that_a_loop_survives(answer: Any) -> None:
    with pytest.raises(PortError) as caught:
        task_in(answer, "query")
    assert caught.value.code == "answer_malformed"
