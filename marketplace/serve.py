"""`marketplace serve`: one process that answers HTTP, seals the ledger and anchors the log; the ledger node is its
child.

Order of starting: migrate the store, start the node and replay the journal (a hash that differs refuses to start), then
listen. Stopping goes the other way round. Whatever moment it is killed at, the journal says what to do next.
"""

import logging
import signal
import socket
import sys
import time
from collections.abc import Callable
from types import FrameType

import uvicorn

from marketplace.app import make_app
from marketplace.chores import Chore, chores_of
from marketplace.errors import ConfigurationError
from marketplace.evidence import service as evidence
from marketplace.evidence.inbox import LEDGER
from marketplace.evidence.projections import PROJECTORS
from marketplace.ledger.profile import LedgerSettings
from marketplace.ledger.rpc import restore_recursion_limit
from marketplace.ledger.worker import LedgerWorker
from marketplace.participants.service.keyring import account_for
from marketplace.refusals.reasons import reason_of
from marketplace.rulebooks import rulebook_named
from marketplace.settings import Settings
from marketplace.settlement.inbox.dividing import product_sizes
from marketplace.storage.blobs import BlobStore
from marketplace.storage.engine import make_engine
from marketplace.storage.migrate import upgrade
from marketplace.web.bell import Bell
from marketplace.web.context import Context
from marketplace.web.openid import Provider

restore_recursion_limit()

log = logging.getLogger(__name__)
STOP_SECONDS = 10
SWITCH_SECONDS = 0.0005
"""How long a thread may go on while others wait. A request is many short calls into the database, and after each of
them its thread would wait up to five milliseconds, Python's default, for another that computes."""


class Service:
    """Everything that runs beside the HTTP server. Use as a context manager; it gives what the HTTP app needs.

    Args:
        settings: the operator's choices.
        clock: unix seconds.
    """

    def __init__(self, settings: Settings, clock: Callable[[], int] = lambda: int(time.time())) -> None:
        self._engine, self._bell = make_engine(settings.database), Bell()
        self._worker = LedgerWorker(
            self._engine,
            ledger_settings(settings),
            PROJECTORS,
            clock=clock,
            on_block=lambda _block: self._bell.ring(LEDGER),
            sizes=product_sizes,
        )
        self._settings, self._clock = settings, clock
        self._openid = provider_of(settings)
        self._chores: list[Chore] = []

    def __enter__(self) -> Context:
        """Start the ledger.

        Raises:
            ConfigurationError: the store holds another ledger, or its journal does not replay.
        """
        upgrade(self._engine)
        self._worker.start()
        self._bell.call(LEDGER, self._worker.wake)
        context = Context(
            settings=self._settings,
            engine=self._engine,
            blobs=BlobStore(self._settings.blobs, self._settings.max_blob_bytes),
            deployment=self._worker.profile.deployment,
            treasury=self._worker.profile.treasury,
            ledger_problem=self._problem,
            hindrances=self._hindrances,
            bell=self._bell,
            clock=self._clock,
            account_for=account_for,
            openid=self._openid,
        )
        self._chores = chores_of(context)
        for chore in self._chores:
            chore.start()
        return context

    def __exit__(self, *_: object) -> None:
        self._bell.close()
        for chore in self._chores:
            chore.stop()
        self._worker.stop()
        if self._openid is not None:
            self._openid.close()
        self._engine.dispose()

    def _problem(self) -> str | None:
        if not self._worker.healthy():
            return str(self._worker.problem or "the sealer has ended")
        return next((chore.problem for chore in self._chores if chore.problem), None)

    def _hindrances(self) -> list[str]:
        return [chore.hindrance for chore in self._chores if chore.hindrance]


class _Server(uvicorn.Server):
    """Lets waiting long polls go as soon as the process is asked to end, and tells when it serves."""

    def __init__(self, config: uvicorn.Config, bell: Bell) -> None:
        super().__init__(config)
        self._bell = bell

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Say so once the address is open; uvicorn is silent about a socket that was given to it."""
        await super().startup(sockets)
        if self.started:
            log.info("serving on http://%s:%d (stop with Ctrl-C)", self.config.host, self.config.port)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Note the signal."""
        self._bell.close()
        super().handle_exit(sig, frame)


def _leave(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)


def ledger_settings(settings: Settings) -> LedgerSettings:
    """What the operator's settings say about the ledger."""
    return LedgerSettings(
        chain_id=settings.chain_id,
        relayer_key=bytes.fromhex(settings.relayer_key.get_secret_value()),
        registrar=settings.genesis_registrar,
        treasury=settings.treasury or evidence.exchange_of(settings),
        fee_bps=settings.fee_bps,
        currencies=tuple(settings.currencies.split(",")),
        rulebook=rulebook_named(settings.rulebook).digest,
        folder=settings.data_dir / "node",
        rpc_url=settings.ledger_rpc_url,
    )


def provider_of(settings: Settings) -> Provider | None:
    """The OpenID Connect provider of the operator's choice, if there is one."""
    if not settings.oidc_issuer:
        return None
    secret = settings.oidc_client_secret.get_secret_value()
    return Provider(settings.oidc_issuer, settings.oidc_client_id, secret)


def _bound(host: str, port: int) -> socket.socket:
    """The socket to serve on, taken before the ledger starts, so that a second service changes nothing."""
    door = None
    try:
        family, kind, _, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        door = socket.socket(family, kind)
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        door.bind(place)
    except OSError as error:
        if door is not None:
            door.close()
        raise ConfigurationError(
            "address_unavailable",
            f"cannot listen on {host}:{port}: {error.strerror}",
            zh=f"无法监听 {host}:{port}：{reason_of(error).zh}",
            hint="is another `marketplace serve` running? choose another port with --port",
            hint_zh="请确认没有另一个 `marketplace serve` 在运行，或用 --port 指定其他端口",
        ) from error
    return door


def serve(settings: Settings) -> None:
    """Run until SIGTERM or SIGINT, then stop in order.

    Raises:
        ConfigurationError: the address is in use, the store holds another ledger, or its journal does not replay.
    """
    for number in (signal.SIGTERM, signal.SIGINT):
        # uvicorn raises the signal again once it has closed; only then may the ledger stop.
        signal.signal(number, _leave)
    sys.setswitchinterval(SWITCH_SECONDS)
    settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    with _bound(settings.host, settings.port) as door, Service(settings) as context:
        config = uvicorn.Config(
            make_app(context),
            host=settings.host,
            port=settings.port,
            log_level="info",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=STOP_SECONDS,
            limit_concurrency=settings.max_connections,
        )
        _Server(config, context.bell).run([door])
