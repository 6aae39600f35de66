"""Where the service listens: an address that is taken is refused before anything else starts."""

import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from marketplace import serve
from marketplace.errors import ConfigurationError
from marketplace.settings import load_settings, make_operator_keys


@pytest.fixture(autouse=True)
def _own_signals() -> Iterator[None]:
    kept = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in kept.items():
        signal.signal(number, handler)


def test_an_address_in_use_is_refused_before_the_ledger_starts(tmp_path: Path) -> None:
    make_operator_keys(tmp_path / "secrets")
    with socket.create_server(("127.0.0.1", 0)) as other:
        settings = load_settings(
            secrets_dir=tmp_path / "secrets",
            genesis_registrar="0x" + "11" * 20,
            data_dir=tmp_path / "data",
            port=other.getsockname()[1],
        )
        with pytest.raises(ConfigurationError) as caught:
            serve.serve(settings)
    assert caught.value.code == "address_unavailable"
    assert not list((tmp_path / "data").iterdir())
