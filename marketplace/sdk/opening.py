"""From a home folder and a password to a client: what every command does first."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Protocol

from crypto.keystore import Keys
from marketplace.errors import ConfigurationError, PortError
from marketplace.sdk.client import Client
from marketplace.sdk.home import Home, files
from marketplace.sdk.home.hardening import close_process
from marketplace.sdk.home.keys import load_keys
from marketplace.sdk.http.polling import break_off
from marketplace.sdk.http.session import SavedSession

MAX_PASSWORD_BYTES = 1024
PAUSE_SECONDS = 0.5


class Surroundings(Protocol):
    """What a program that opens a client has to offer.

    Attributes:
        home: the folder, None for the default.
        url: the service, None for the configured one.
    """

    home: Path | None
    url: str | None

    def notice(self, text: str) -> None:
        """Tell the person something."""

    def ask_secret(self, en: str, zh: str = "") -> str | None:
        """Ask the person for a secret; None where nobody is there."""


def open_client(around: Surroundings, *, with_keys: bool = True, keys: Keys | None = None) -> Client:
    """A client for the home folder's participant, or for the public when `with_keys` is False.

    A folder without keys, in which somebody signed in with the exchange's provider, gives a client that reads.

    Args:
        keys: the participant's keys where they are open already.
    """
    home = Home.locate(around.home)
    saved = SavedSession.load(home.session) if with_keys and keys is None and not home.keystore.is_file() else None
    if saved is not None:
        return Client(home.url(around.url), home=home, signed_in=saved, notice=around.notice)
    chosen = (keys or open_keys(around)) if with_keys else None
    if chosen:
        close_process()
    return Client(home.url(around.url), chosen, home=home, notice=around.notice)


def wait_for_service(client: Client, stop: threading.Event, notice: Callable[[str, str], None]) -> bool:
    """Wait until the service answers, saying so once; returns False when stopped before.

    Raises:
        ConfigurationError: it is not the service that this folder knows.
    """
    told = False
    while not stop.is_set():
        try:
            return bool(client.profile)
        except PortError as error:
            if not told:
                notice(f"waiting for the service: {error}", f"等待服务：{error.zh or error}")
            told = True
            stop.wait(PAUSE_SECONDS)
    return False


@contextmanager
def until_stopped() -> Iterator[threading.Event]:
    """An event that Ctrl-C or SIGTERM sets, so that a long-running command ends between two tasks, or while idle."""
    stop = threading.Event()

    def end(_number: int, _frame: FrameType | None) -> None:
        stop.set()
        break_off()

    wanted = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, end) for number in wanted}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def open_keys(around: Surroundings) -> Keys:
    """The home folder's keys. From here on the process leaves no core dump and is closed to others (hardening.py).

    Raises:
        ConfigurationError: there is no keystore, it is open to others, or there is no password.
        crypto.errors.DecryptionFailed: the password is wrong.
    """
    return open_keys_of(around, Home.locate(around.home).path)


def open_keys_of(around: Surroundings, folder: Path) -> Keys:
    """The keys of any folder; see `open_keys`."""
    home = Home(folder.expanduser().absolute())
    if not home.keystore.is_file():
        raise ConfigurationError(
            "keystore_missing",
            f"there are no keys in {home.path}",
            zh=f"{home.path} 中没有密钥",
            hint="make them with: marketplace keys new; or name another folder with --home",
            hint_zh="请执行 marketplace keys new，或用 --home 指定其他目录",
        )
    files.refuse_shared(home.keystore)
    close_process()
    return load_keys(home.keystore.read_bytes(), password(around))


def password(around: Surroundings, *, twice: bool = False) -> str:
    """MARKETPLACE_PASSWORD, else the file MARKETPLACE_PASSWORD_FILE, else what the person types.

    Args:
        twice: have it typed twice, for a new keystore.
    Raises:
        ConfigurationError: there is none, or the two differ, or the file is open to others.
    """
    given = os.environ.get("MARKETPLACE_PASSWORD") or _from_file()
    if given:
        return given
    typed = around.ask_secret("password of your keystore", "密钥库口令")
    if twice and typed and typed != around.ask_secret("the same password again", "请再次输入口令"):
        raise ConfigurationError("passwords_differ", "the two passwords differ", zh="两次输入的口令不一致")
    if typed:
        return typed
    raise ConfigurationError(
        "password_missing",
        "the keystore needs its password",
        zh="需要密钥库口令",
        hint="type it in a terminal, or set MARKETPLACE_PASSWORD_FILE to a file of mode 0600",
        hint_zh="请在终端输入，或将 MARKETPLACE_PASSWORD_FILE 指向权限为 0600 的文件",
    )


def _from_file() -> str | None:
    name = os.environ.get("MARKETPLACE_PASSWORD_FILE")
    if not name:
        return None
    path = Path(name).expanduser()
    if not path.is_file() or path.stat().st_size > MAX_PASSWORD_BYTES:
        raise ConfigurationError("password_file_unreadable", f"{path} is not a password file", zh="无法读取口令文件")
    files.refuse_shared(path)
    return path.read_text("utf-8").rstrip("\r\n")
