"""One participant's conversation with one service: who speaks, what the service is, and requests that sign in by
themselves.

What it takes on trust: nothing but the pinned profile (sdk/home.py).
"""

import time
from collections.abc import Callable, Collection
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx

from crypto.keystore import Keys
from marketplace.errors import ConfigurationError, NotAuthorizedError, PortError
from marketplace.intents import Deployment
from marketplace.sdk.home import Home, Pin, check_pin
from marketplace.sdk.home.journal import Journal
from marketplace.sdk.http import problems, session
from marketplace.sdk.http.foreign import parse_json
from marketplace.sdk.http.profile import Profile, parse_profile
from marketplace.sdk.http.transport import Transport

DEADLINE_SECONDS = 3600
Answer = TypeVar("Answer")


class Connection:
    """A participant's connection.

    Args:
        url: the service's base url.
        keys: who speaks; None reads what is public.
        account: for whom; None for the keys' own address, or what the home folder remembers.
        home: where the pin and the journal are kept; None keeps them in memory for this client's life.
        http: a ready httpx client, e.g. over an in-process app.
        signed_in: a session that is open already, for a client without keys: it reads, and signs nothing.
        registrars: accounts of registrars whose recoveries of accounts count; None for what the home folder says. No
            service is believed who they are.
        now: unix seconds.
        notice: told, in English, what a person should know (a profile was pinned).
    """

    def __init__(
        self,
        url: str,
        keys: Keys | None = None,
        *,
        account: str | None = None,
        home: Home | None = None,
        http: httpx.Client | None = None,
        signed_in: session.SavedSession | None = None,
        registrars: Collection[str] | None = None,
        now: Callable[[], float] = time.time,
        notice: Callable[[str], None] = lambda _text: None,
    ) -> None:
        self.url = url.rstrip("/")
        self.home = home
        self._keys = keys
        self._account = account or (home.account() if home else None)
        self._transport = Transport(self.url, http)
        self._now, self._notice = now, notice
        known = home.registrars() if home and registrars is None else registrars
        self.registrars = frozenset(known or ())
        self._token: str | None = None
        if signed_in is not None and keys is None and signed_in.url == self.url:
            self._token, self._account = signed_in.token, signed_in.account
        self._profile: Profile | None = None
        self._journal: Journal | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give back connections and the journal."""
        self._transport.close()
        if self._journal is not None:
            self._journal.close()
            self._journal = None

    @property
    def keys(self) -> Keys:
        """The speaker's keys.

        Raises:
            ConfigurationError: this client has none.
        """
        if self._keys is None:
            raise ConfigurationError(
                "keys_missing",
                "this needs your keys",
                zh="此操作需要您的密钥",
                hint="make them with: marketplace keys new; a session with a provider reads and signs nothing",
                hint_zh="请先执行 marketplace keys new；第三方登录的会话只能读取，不能签名",
            )
        return self._keys

    @property
    def address(self) -> str:
        """The account that the speaker acts for, "0x" lower-case hex; `keys.address` is the key that signs."""
        return self._account or self.keys.address

    def act_for(self, account: str) -> None:
        """Act for `account` from now on, and remember it in the home folder."""
        self._account, self._token = account, None
        if self.home is not None:
            self.home.write(self.url, self.profile.pin, account)

    def hand_over(self, folder: Path) -> None:
        """Let the keys in another folder go on for this account with this service."""
        Home(folder).write(self.url, self.profile.pin, self.address)

    @property
    def journal(self) -> Journal:
        """What this participant must never forget; a file in the home folder, or memory without one."""
        if self._journal is None:
            self._journal = Journal(self.home.journal if self.home else None)
        return self._journal

    def now(self) -> int:
        """Unix seconds."""
        return int(self._now())

    # -- the service's identity -------------------------------------------------------------------------------------

    @property
    def profile(self) -> Profile:
        """The service's profile, compared with the pin (or pinned, on first use).

        Raises:
            ConfigurationError: it names another chain, contract or log key than the pinned one.
        """
        if self._profile is None:
            offered = parse_profile(self.get("/profile", signed=False))
            self._accept(offered.pin)
            self._profile = offered
        return self._profile

    @property
    def deployment(self) -> Deployment:
        """Chain and contracts: the domain of every signature."""
        pin = self.profile.pin
        return Deployment(pin.chain_id, pin.contracts)

    def _accept(self, offered: Pin) -> None:
        known = self.home.pin() if self.home else None
        if known is not None:
            check_pin(known, offered)
            return
        if self.home is not None:
            self.home.write(self.url, offered)
            self._notice(f"first use of {self.url}: pinned chain {offered.chain_id}, log key {offered.log_key}")

    # -- requests ---------------------------------------------------------------------------------------------------

    def get(self, path: str, *, signed: bool = True, wait: float = 0, **params: Any) -> Any:
        """GET `path` and return its JSON. `wait` seconds of long poll are also sent as a parameter."""
        given = {name: value for name, value in params.items() if value is not None}
        if wait:
            given["wait"] = wait
        return _json(self._send("GET", path, signed=signed, repeatable=True, wait=wait, params=given))

    def pages(self, path: str, **params: Any) -> list[dict[str, Any]]:
        """Every item of a paged list: GET `path` and follow the answer's own `next` links, on the same service only."""
        found: list[dict[str, Any]] = []
        wanted: str | None = path
        given = {name: value for name, value in params.items() if value is not None}
        while wanted is not None:
            response = self._send("GET", wanted, signed=True, repeatable=True, params=given or None)
            found.extend(_json(response)["items"])
            wanted, given = _next_page(response), {}
        return found

    def post(self, path: str, body: Any, *, signed: bool = True, repeatable: bool = False, wait: float = 0) -> Any:
        """POST `body` as JSON and return the answer's JSON, None for an empty one.

        Args:
            repeatable: the request is keyed by a digest, so sending it again after a lost connection is harmless.
            wait: seconds of long poll, sent as a parameter.
        """
        params = {"wait": wait} if wait else {}
        return _json(
            self._send("POST", path, signed=signed, repeatable=repeatable, wait=wait, params=params, json=body)
        )

    def delete(self, path: str) -> dict[str, Any]:
        """DELETE `path` and return the answer's JSON."""
        found: dict[str, Any] = _json(self._send("DELETE", path, signed=True, repeatable=False))
        return found

    def _send(self, method: str, path: str, *, signed: bool, repeatable: bool, **content: Any) -> httpx.Response:
        """Send; with keys, sign in first, and once more when the service says that the session is over."""
        extra = content.pop("headers", {})
        if not signed:
            return self._transport.request(method, path, repeatable=repeatable, headers=extra, **content)
        return self._signed_in(
            lambda bearer: self._transport.request(
                method, path, repeatable=repeatable, headers=bearer | extra, **content
            )
        )

    def _signed_in(self, ask: Callable[[dict[str, str]], Answer]) -> Answer:
        """What `ask` gives with the header of a session, without one where this client can open none; asked once more
        with a new session where the old one is over.
        """
        if self._keys is None and self._token is None:
            return ask({})
        fresh = self._token is None or self._keys is None
        try:
            return ask(self._bearer())
        except NotAuthorizedError as error:
            if fresh or not problems.is_session_over(error):
                raise
        self._token = None
        return ask(self._bearer())

    def _bearer(self) -> dict[str, str]:
        if self._token is None:
            self._token = session.sign_in(self._transport, self.keys, self.deployment.chain_id, self.now())
        return {"authorization": f"Bearer {self._token}"}

    def sign_message(self, statement: str) -> dict[str, str]:
        """{"message", "signature"}: a sentence signed by this participant's key, for this service and once."""
        return session.signed_message(self._transport, self.keys, self.deployment.chain_id, self.now(), statement)

    def sign_out(self) -> None:
        """End the session that is open, if one is."""
        if self._token is not None:
            self._transport.request("DELETE", "/session", repeatable=False, headers=self._bearer())
            self._token = None

    def get_bytes(self, path: str) -> bytes:
        """GET a small public answer that is not JSON."""
        return self._send("GET", path, signed=False, repeatable=True).content

    def get_as(self, path: str, kind: str, **params: Any) -> bytes:
        """GET an answer of another media type than JSON."""
        return self._send("GET", path, signed=True, repeatable=True, headers={"accept": kind}, params=params).content

    def download(self, path: str, target: Path, progress: Callable[[int], None] = lambda _count: None) -> int:
        """Write the answer of GET `path` into `target`, whole or not at all; returns its size in bytes."""
        return self._signed_in(lambda bearer: self._transport.download(path, target, bearer, progress))

    def deadline(self, *, days: int = 0) -> int:
        """Until when a statement signed now may reach the ledger, unix seconds: `days`, or an hour."""
        return self.now() + (days * 86400 if days else DEADLINE_SECONDS)


def _next_page(response: httpx.Response) -> str | None:
    link = response.links.get("next", {}).get("url")
    if link is None:
        return None
    target = httpx.URL(link)
    return target.raw_path.decode()


def _json(response: httpx.Response) -> Any:
    if not response.content:
        return None
    try:
        return parse_json(response.content)
    except ValueError as error:
        raise PortError(
            "answer_malformed", "the service's answer is not JSON", zh="服务端返回的不是 JSON", retryable=False
        ) from error
