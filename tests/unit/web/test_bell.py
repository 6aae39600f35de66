"""Long polls: woken from any thread, never later than asked, let go when the service stops."""

import asyncio
import threading
import time

from marketplace.web.bell import POLL_SECONDS, Bell, long_poll


def run(bell: Bell, seconds: float, answers: list[str], topic: str = "news") -> tuple[str | None, float]:
    """Poll for the first of `answers`; returns it and how long it took."""

    async def poll() -> str | None:
        return await long_poll(bell, [topic], seconds, lambda: answers[0] if answers else None)

    start = time.monotonic()
    return asyncio.run(poll()), time.monotonic() - start


def later(seconds: float, *acts: object) -> None:
    """Do `acts` in another thread after a while."""

    def work() -> None:
        for act in acts:
            assert callable(act)
            act()

    threading.Timer(seconds, work).start()


def test_a_signal_may_close_the_bell_while_its_thread_is_in_it() -> None:
    """As uvicorn's signal handler does, between any two steps of the event loop's thread."""
    bell = Bell()

    def interrupted() -> None:
        with bell._lock:
            bell.close()

    thread = threading.Thread(target=interrupted, daemon=True)
    thread.start()
    thread.join(5)
    assert not thread.is_alive()


def test_an_answer_that_is_there_is_given_at_once() -> None:
    assert run(Bell(), 10, ["yes"])[0] == "yes"


def test_without_an_answer_the_poll_ends_in_time() -> None:
    answer, took = run(Bell(), 0.2, [])
    assert answer is None
    assert 0.2 <= took < 1


def test_a_ring_wakes_the_poll_before_its_next_look() -> None:
    bell, answers = Bell(), list[str]()
    later(0.1, lambda: answers.append("yes"), lambda: bell.ring("news"))
    answer, took = run(bell, 10, answers)
    assert answer == "yes"
    assert took < POLL_SECONDS


def test_a_lost_ring_costs_half_a_second_at_most() -> None:
    answers: list[str] = []
    later(0.1, lambda: answers.append("yes"))
    answer, took = run(Bell(), 10, answers)
    assert answer == "yes"
    assert took < 2 * POLL_SECONDS


def test_a_ring_of_another_topic_wakes_nobody() -> None:
    bell, answers = Bell(), list[str]()
    later(0.1, lambda: answers.append("yes"), lambda: bell.ring("weather"))
    assert run(bell, 10, answers)[1] >= POLL_SECONDS


def test_closing_lets_every_poll_go() -> None:
    bell = Bell()
    later(0.1, bell.close)
    answer, took = run(bell, 30, [])
    assert answer is None
    assert took < 5


def test_whoever_is_to_be_called_is_called_once_a_ring() -> None:
    bell, calls = Bell(), list[int]()
    bell.call("news", lambda: calls.append(1))
    bell.ring("news", "weather")
    bell.ring("weather")
    assert calls == [1]


def test_nothing_is_left_behind_when_nobody_waits() -> None:
    bell = Bell()
    run(bell, 0.01, [])
    assert not bell._waiting
