"""What the operator decides. Every setting is an environment variable with the prefix `MARKETPLACE_`.

The three operator keys may also be files `marketplace_relayer_key`, `marketplace_exchange_key` and
`marketplace_log_key` in the folder that `MARKETPLACE_SECRETS_DIR` names. There is no default key: a program that starts
with a published key is worse than one that does not start.
"""

import ipaddress
import os
import secrets
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from marketplace.currencies import CNY, parse_currencies
from marketplace.errors import ConfigurationError, InvalidInputError
from marketplace.refusals.shapes import shape_fault
from marketplace.types import Address

KEY_NAMES = ("relayer_key", "exchange_key", "log_key")

# Keys that everybody knows: the first accounts of the development mnemonic that anvil, Hardhat and Ganache share.
PUBLISHED_KEYS = frozenset(
    (
        "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80",
        "59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d",
        "5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a",
        "7c852118294e51e653712a81e05800f419141751be58f605c371e15141b007a6",
        "47e179ec197488593b187f80a00eb0da91f1b9d0b13f8733639f19c30a34926a",
    )
)


def _check_key(value: SecretStr) -> SecretStr:
    """Refuse what is not 32 random bytes in hex. The message never repeats the value."""
    text = value.get_secret_value().strip().removeprefix("0x").lower()
    if len(text) != 64 or any(c not in "0123456789abcdef" for c in text):
        raise ValueError("a key is 32 bytes written as 64 hex digits")
    if text in PUBLISHED_KEYS or len(set(bytes.fromhex(text))) < 8:
        raise ValueError("this key is published or guessable; make fresh ones with `marketplace operator keys`")
    return SecretStr(text)


def _check_currencies(value: str) -> str:
    try:
        return ",".join(parse_currencies(value))
    except InvalidInputError as error:
        raise ValueError(error.message) from None


OperatorKey = Annotated[SecretStr, AfterValidator(_check_key)]


class Settings(BaseSettings):
    """The operator's choices, checked.

    Attributes:
        relayer_key: secp256k1 key that deploys the contracts and relays intents. It has no authority of its own.
        exchange_key: secp256k1 key of the EXCHANGE participant; signs Anchor intents.
        log_key: Ed25519 seed that signs checkpoints of the log.
        genesis_registrar: address that the contracts admit at deployment.
        treasury: where fees go; the exchange's address if empty.
        data_dir: folder of the embedded database, blobs and node.
        database_url: SQLAlchemy URL; SQLite in `data_dir` if empty.
        blobs_url: fsspec URL of the sealed data; a folder in `data_dir` if empty.
        host: address to listen on. Anything but loopback needs an https `public_url`.
        port: TCP port to listen on.
        public_url: where participants reach the service (by default where it listens); names the domain of EIP-4361
            sign-in.
        chain_id: EIP-155 id of the ledger.
        fee_bps: the exchange's fee in basis points of what is paid out.
        currencies: ISO 4217 codes of the currencies that the exchange is founded with, CNY first, e.g. CNY,HKD: each is
            a token of its own, and nothing converts one into another.
        rulebook: which rulebook of registration the exchange is founded with, see `marketplace rulebooks list`: the
            newest version of a name, or one version, e.g. cn-2026-v1; it stands on the ledger from the first block.
            "evaluation" has clocks of seconds and is not the law.
        registrar_region: the two digits of the registrar's region in certificate codes, as in GB/T 2260.
        registrar_number: its one digit within the region.
        log_origin: first line of every checkpoint.
        session_seconds: life of a sign-in.
        nonce_seconds: life of a sign-in challenge.
        lease_seconds: a task that was taken and not answered for so long is given out again.
        panel_seconds: how long a panel has for one query. Then the query fails unless enough nodes have agreed, and
            whoever was not heard is named.
        ledger_rpc_url: JSON-RPC of an outer network; the embedded node if empty.
        anchor_seconds: the log is signed and anchored at most once in so many seconds.
        max_body_bytes: largest JSON body.
        max_blob_bytes: largest sealed blob.
        max_wait_seconds: longest long poll.
        max_connections: requests served at once; more are told to come back later.
        webhook_allow_loopback: webhooks may be sent to this machine itself, and there without TLS; for trying out.
        webhook_retry_seconds: pause before a webhook's second try; it doubles with each further one, up to six hours.
        webhook_give_up_days: a webhook that was not taken for so long is set aside, to be replayed on request.
        webhook_keep_days: how long delivered webhooks are kept for a replay.
        oidc_issuer: identifier of the OpenID Connect provider whose people may sign in once a participant has linked
            them; empty for none.
        oidc_client_id: this service's name with it.
        oidc_client_secret: the secret that the provider gave it; empty for a public client.
        oidc_redirect_uris: where the provider may send people back to, separated by spaces and compared character by
            character; of an http address of 127.0.0.1 or [::1] any port counts (RFC 8252).
    """

    model_config = SettingsConfigDict(env_prefix="MARKETPLACE_", extra="ignore", frozen=True)

    relayer_key: OperatorKey
    exchange_key: OperatorKey
    log_key: OperatorKey
    genesis_registrar: Address = Field(pattern="^0x[0-9a-f]{40}$")
    treasury: str = Field(default="", pattern="^(0x[0-9a-f]{40})?$")
    data_dir: Path = Path("var/marketplace")
    database_url: str = ""
    blobs_url: str = ""
    host: str = "127.0.0.1"
    port: int = Field(default=8420, ge=0, le=65535)
    public_url: str
    chain_id: int = Field(default=20260, ge=1, le=2**31)
    fee_bps: int = Field(default=250, ge=0, le=2000)
    currencies: Annotated[str, AfterValidator(_check_currencies)] = CNY.code
    rulebook: str = Field(default="cn-2026", pattern="^[a-z0-9-]{1,40}$")
    registrar_region: str = Field(default="31", pattern="^[0-9]{2}$")
    registrar_number: str = Field(default="0", pattern="^[0-9]$")
    log_origin: str = Field(default="marketplace.local/log", pattern=r"^[^\s+]{1,200}$")
    session_seconds: int = Field(default=8 * 3600, ge=60, le=7 * 86400)
    nonce_seconds: int = Field(default=300, ge=10, le=3600)
    lease_seconds: int = Field(default=30, ge=1, le=3600)
    panel_seconds: int = Field(default=600, ge=1, le=86400)
    ledger_rpc_url: str = ""
    anchor_seconds: float = Field(default=1.0, ge=0.05, le=86400)
    max_body_bytes: int = Field(default=2 * 2**20, ge=2**16, le=2**26)
    max_blob_bytes: int = Field(default=32 * 2**20, ge=2**16, le=2**30)
    max_wait_seconds: float = Field(default=30, ge=0, le=300)
    max_connections: int = Field(default=1000, ge=10, le=100_000)
    webhook_allow_loopback: bool = False
    webhook_retry_seconds: int = Field(default=5, ge=1, le=3600)
    webhook_give_up_days: int = Field(default=5, ge=1, le=90)
    webhook_keep_days: int = Field(default=30, ge=1, le=365)
    oidc_issuer: str = Field(default="", max_length=255)
    oidc_client_id: str = Field(default="", max_length=255)
    oidc_client_secret: SecretStr = SecretStr("")
    oidc_redirect_uris: str = Field(default="http://127.0.0.1/callback", max_length=4000)

    @model_validator(mode="before")
    @classmethod
    def _name_public_url(cls, given: dict[str, Any]) -> dict[str, Any]:
        host, port = given.get("host") or "127.0.0.1", given.get("port") or 8420
        return {"public_url": f"http://{host}:{port}", **{name: value for name, value in given.items() if value != ""}}

    @model_validator(mode="after")
    def _refuse_insecure(self) -> Self:
        keys = [getattr(self, name).get_secret_value() for name in KEY_NAMES]
        if len(set(keys)) != len(keys):
            raise ValueError("relayer_key, exchange_key and log_key must be three different keys")
        url = urlsplit(self.public_url)
        if url.scheme not in ("http", "https") or not url.hostname:
            raise ValueError("public_url must be an http(s) URL with a host")
        if url.scheme != "https" and not (_is_loopback(self.host) and _is_loopback(url.hostname)):
            raise ValueError("outside loopback public_url must be https: sign-in tokens would travel in the clear")
        return self

    @model_validator(mode="after")
    def _check_oidc(self) -> Self:
        if not self.oidc_issuer:
            return self
        if not self.oidc_client_id or not self.oidc_client_id.isascii() or not self.oidc_redirect_uris.split():
            raise ValueError("with oidc_issuer, oidc_client_id and oidc_redirect_uris must be set")
        for name, text in (("oidc_issuer", self.oidc_issuer), *(("oidc_redirect_uris", uri) for uri in self.redirects)):
            url = urlsplit(text)
            is_plain = url.scheme == "http" and _is_loopback(url.hostname or "")
            if not (url.scheme == "https" or is_plain) or not url.hostname or url.fragment or url.username:
                raise ValueError(f"{name}: expected https, or http on loopback, without user or fragment")
        if urlsplit(self.oidc_issuer).query:
            raise ValueError("oidc_issuer: an issuer has no query")
        return self

    @property
    def redirects(self) -> tuple[str, ...]:
        """The registered redirect URIs."""
        return tuple(self.oidc_redirect_uris.split())

    @cached_property
    def database(self) -> str:
        """The SQLAlchemy URL in force."""
        return self.database_url or f"sqlite:///{(self.data_dir / 'marketplace.db').resolve()}"

    @cached_property
    def blobs(self) -> str:
        """The fsspec URL in force."""
        return self.blobs_url or (self.data_dir / "blobs").resolve().as_uri()

    @cached_property
    def sign_in_domain(self) -> str:
        """The authority that EIP-4361 messages must name."""
        return urlsplit(self.public_url).netloc


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def load_settings(**overrides: object) -> Settings:
    """Settings from the environment and the secrets folder.

    Args:
        overrides: values that win over the environment.
    Raises:
        ConfigurationError: something is missing or insecure; names each field and reason, never a value.
    """
    folder = os.environ.get("MARKETPLACE_SECRETS_DIR") or overrides.pop("secrets_dir", None)
    try:
        return Settings(_secrets_dir=folder, **overrides)  # type: ignore[call-arg, arg-type]
    except ValidationError as error:
        faults = [(".".join(map(str, e["loc"])), e) for e in error.errors(include_input=False)]
        found = [f"{place or 'settings'}: {e['msg']}" for place, e in faults]
        found_zh = [f"{place or '配置'}：{shape_fault(e['type'], e.get('ctx', {}))}" for place, e in faults]
        raise ConfigurationError(
            "settings_invalid",
            "the settings are not complete or not safe: " + "; ".join(found),
            zh="配置不完整或不安全：" + "；".join(found_zh),
            hint="set MARKETPLACE_<NAME>; make keys with `marketplace operator keys` and set MARKETPLACE_SECRETS_DIR",
            hint_zh="请设置 MARKETPLACE_<名称>；用 `marketplace operator keys` 生成密钥并设置 MARKETPLACE_SECRETS_DIR",
        ) from None


def make_operator_keys(folder: Path) -> list[Path]:
    """Write three fresh random keys as files that only their owner can read.

    Raises:
        ConfigurationError: a key is there already; it is never overwritten.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    paths = [folder / f"marketplace_{name}" for name in KEY_NAMES]
    for path in paths:
        if path.exists():
            raise ConfigurationError(
                "key_exists",
                f"{path} is there already",
                zh=f"{path} 已存在",
                hint="keep it, or move it away yourself",
                hint_zh="请保留该文件，或自行移走",
            )
    for path in paths:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(32))
    return paths
