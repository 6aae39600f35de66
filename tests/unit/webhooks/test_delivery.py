"""Sending to a real server on loopback, and refusing to send anywhere that is not public."""

import socket
import threading
import time
from typing import Any

import pytest

from marketplace.webhooks import rules
from marketplace.webhooks.service import delivery
from marketplace.webhooks.service.delivery import RefusedAddressError, post, send
from marketplace.webhooks.service.outbox import Outcome, Parcel
from tests.receiver import receiving

SECRET = bytes(range(32))


def _now() -> int:
    return int(time.time())


def _parcel(url: str, count: int = 3) -> Parcel:
    return Parcel("we_1", url, (SECRET,), tuple((n, f"msg_{n}", b'{"type":"t"}') for n in range(count)))


def test_messages_arrive_signed_and_in_order_up_to_the_first_that_fails() -> None:
    with receiving() as receiver:
        receiver.secret, receiver.answers = rules.secret_text(SECRET), [204, 500]
        outcomes = send(_parcel(receiver.url), _now, loopback=True, stopping=threading.Event())
        assert outcomes == [Outcome(0), Outcome(1, "answered 500")]
        assert [name for name, _ in receiver.taken] == ["msg_0"]
        assert send(_parcel(receiver.url), _now, loopback=True, stopping=threading.Event()) == [
            *(Outcome(number) for number in range(3))
        ]


def test_redirects_are_not_followed_and_gone_is_understood() -> None:
    with receiving() as receiver:
        receiver.answers = [307, 410]
        assert post(receiver.url, {}, b"{}", loopback=True) == 307
        assert len(receiver.tries) == 1
        (outcome,) = send(_parcel(receiver.url, 1), _now, loopback=True, stopping=threading.Event())
        assert outcome == Outcome(0, "answered 410", gone=True)


def test_loopback_is_not_called_unless_it_is_allowed() -> None:
    with receiving() as receiver:
        (outcome,) = send(_parcel(receiver.url, 1), _now, loopback=False, stopping=threading.Event())
        assert "public addresses alone" in outcome.problem
        assert receiver.tries == []


@pytest.mark.parametrize("address", ["10.0.0.7", "169.254.169.254", "fd00::1"])
def test_a_public_name_that_resolves_to_a_private_address_is_not_called(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One private address among public ones is enough; and no connection is begun."""
    found: list[Any] = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (item, 443)) for item in ("8.8.8.8", address)]
    monkeypatch.setattr("socket.getaddrinfo", lambda *_args, **_more: found)
    monkeypatch.setattr("socket.create_connection", lambda *_args, **_more: pytest.fail("a connection was begun"))
    with pytest.raises(RefusedAddressError) as refused:
        post("https://example.org/", {}, b"{}", loopback=True)
    assert address not in str(refused.value)


def test_nobody_learns_which_names_the_operators_network_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    """A private name and one that does not exist are answered alike."""

    def resolve(host: str, port: int, **_more: Any) -> Any:
        if host == "nowhere.example":
            raise socket.gaierror("unknown")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("10.0.0.7", port))]

    monkeypatch.setattr("socket.getaddrinfo", resolve)
    told = []
    for host in ("nowhere.example", "payroll.corp.example"):
        (outcome,) = send(_parcel(f"https://{host}/", 1), _now, loopback=False, stopping=threading.Event())
        told.append(outcome.problem.replace(host, "NAME"))
    assert told[0] == told[1] != ""


def test_the_time_of_a_try_counts_resolving_and_connecting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "TRY_SECONDS", 0.2)

    def resolve(_host: str, port: int, **_more: Any) -> Any:
        time.sleep(0.3)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("8.8.8.8", port))]

    monkeypatch.setattr("socket.getaddrinfo", resolve)
    monkeypatch.setattr("socket.create_connection", lambda *_args, **_more: pytest.fail("a connection was begun"))
    (outcome,) = send(_parcel("https://slow.example/", 1), _now, loopback=False, stopping=threading.Event())
    assert "did not resolve in" in outcome.problem


def test_the_connection_goes_to_the_address_that_was_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that resolves to another address a moment later gains nothing: nobody resolves it again."""
    real, asked = socket.getaddrinfo, []

    def resolve(host: Any, port: Any, *args: Any, **more: Any) -> Any:
        if host != "hooks.example":
            return real(host, port, *args, **more)
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    monkeypatch.setattr("socket.getaddrinfo", resolve)
    with receiving() as receiver:
        assert post(receiver.url.replace("127.0.0.1", "hooks.example"), {}, b"{}", loopback=True) == 204
    assert asked == ["hooks.example"]


def test_a_server_that_dribbles_is_left_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "TRY_SECONDS", 0.5)
    listener = socket.create_server(("127.0.0.1", 0))
    stop = threading.Event()

    def dribble() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.sendall(b"HTTP/1.1 200 OK\r\nx: ")
            while not stop.wait(0.05):
                try:
                    connection.sendall(b"a")
                except OSError:
                    return

    thread = threading.Thread(target=dribble)
    thread.start()
    begin = time.monotonic()
    url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
    (outcome,) = send(_parcel(url, 1), _now, loopback=True, stopping=threading.Event())
    assert outcome.problem
    assert time.monotonic() - begin < 3
    stop.set()
    thread.join()
    listener.close()


def test_nobody_there_is_a_failure_like_any_other() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    (outcome,) = send(_parcel(f"http://127.0.0.1:{port}/", 1), _now, loopback=True, stopping=threading.Event())
    assert outcome.problem
