"""The client: a connection that also carries signed intents, documents and blobs.

Every document and blob is checked against the digest that it was asked for; an intent's outcome is the ledger's, and
an auditor can derive it again.
"""

from collections.abc import Callable, Mapping
from functools import cached_property, lru_cache
from typing import Any

from crypto import canonical
from crypto.errors import MalformedInput, ParameterError
from marketplace.errors import PortError, VerificationError
from marketplace.intents import sign_intent
from marketplace.sdk.http import problems
from marketplace.sdk.http.connection import Connection

POLL_SECONDS = 20
INTENT_SECONDS = 120
MAX_DOCUMENT_BYTES = 1 << 20
KEPT_DOCUMENTS = 32


class Client(Connection):
    """A participant's connection; see `Connection` for its arguments."""

    def sign(self, name: str, message: Mapping[str, Any]) -> str:
        """This participant's signature of the intent `name`, "0x" hex of 65 bytes."""
        return canonical.to_hex(sign_intent(name, message, self.deployment, self.keys.signing_key))

    def submit(self, path: str, body: Mapping[str, Any], *, wait_seconds: float = INTENT_SECONDS) -> dict[str, Any]:
        """Post a signed intent and wait until the ledger has decided.

        Returns:
            the intent's status, at least {"intent", "status": "mined", …}.
        Raises:
            RuleError: the service or a contract refused it.
        """
        queued = self.post(path, body, repeatable=True)
        return self.wait_for_intent(queued["intent"], seconds=wait_seconds)

    def wait_for_intent(self, digest: str, seconds: float = INTENT_SECONDS) -> dict[str, Any]:
        """Wait until the intent is mined.

        Raises:
            RuleError: the ledger refused it; the code is the contract's.
            PortError: `intent_pending`, still undecided after `seconds`, or nobody could be asked; nothing is lost.
        """
        end = self._now() + seconds
        while True:
            status = self._status_of(digest, max(0, min(POLL_SECONDS, end - self._now())))
            if status["status"] == "refused":
                raise problems.from_refusal(status)
            if status["status"] == "mined":
                return {"intent": digest, **status}
            if self._now() >= end:
                raise _pending(digest, str(status["status"]))

    def _status_of(self, digest: str, wait: float) -> dict[str, Any]:
        """How an intent stands that the service has taken; "unknown" while it cannot be reached. It may well be done,
        so that whoever is told of a lost connection must not think that it was not.
        """
        try:
            found: dict[str, Any] = self.get(f"/intents/{digest}", wait=wait)
        except PortError as error:
            if not error.retryable:
                raise
            return {"status": "unknown"}
        return found

    def put_document(self, document: Any) -> str:
        """Store `document` under the digest of its canonical form, and return that digest."""
        content = canonical.canonical_json(document)
        digest = canonical.to_hex(canonical.sha256(content))
        self._put(f"/documents/{digest}", content, "application/json")
        return digest

    def get_document(self, digest: str) -> Any:
        """The document named `digest`.

        Raises:
            VerificationError: what came has another digest, or is not canonical JSON.
        """
        try:
            return canonical.load_canonical(self._document(digest), max_bytes=MAX_DOCUMENT_BYTES)
        except MalformedInput as error:
            raise VerificationError("document_malformed", f"document {digest}: {error}", zh="文档格式不合规") from error

    def take_document(self, digest: str, offered: Mapping[str, Any]) -> Any:
        """The document named `digest`: what the service sent along under that name if it has this digest, else fetched.

        Raises:
            VerificationError: as `get_document`.
        """
        sent = offered.get(digest)
        try:
            if sent is not None and canonical.to_hex(canonical.digest_json(sent)) == digest:
                return sent
        except ParameterError:
            pass  # it has no canonical form, so it is no document
        return self.get_document(digest)

    @cached_property
    def _document(self) -> Callable[[str], bytes]:
        # A document never changes under its digest, so terms and manifests come over the wire once.
        return lru_cache(KEPT_DOCUMENTS)(self._fetch_document)

    def _fetch_document(self, digest: str) -> bytes:
        content = self._send("GET", f"/documents/{digest}", signed=True, repeatable=True).content
        _check_digest(content, digest)
        return content

    def put_blob(self, content: bytes) -> str:
        """Upload `content` under its SHA-256, and return that digest. Uploading it again is harmless."""
        digest = canonical.to_hex(canonical.sha256(content))
        self._put(f"/blobs/{digest}", content, "application/octet-stream")
        return digest

    def get_blob(self, digest: str) -> bytes:
        """The blob named `digest`.

        Raises:
            VerificationError: what came has another digest.
        """
        content = self._send("GET", f"/blobs/{digest}", signed=True, repeatable=True).content
        _check_digest(content, digest)
        return content

    def put_request(self, query: str, content: bytes) -> str:
        """Upload one request of a query's attested result under its SHA-256; for nodes of its panel."""
        digest = canonical.to_hex(canonical.sha256(content))
        self._put(f"/queries/{query}/requests/{digest}", content, "application/octet-stream")
        return digest

    def get_request(self, query: str, digest: str) -> bytes:
        """One request of a query's attested result; for the holders of the data set's key.

        Raises:
            VerificationError: what came has another digest.
        """
        path = f"/queries/{query}/requests/{digest}"
        content = self._send("GET", path, signed=True, repeatable=True).content
        _check_digest(content, digest)
        return content

    def _put(self, path: str, content: bytes, kind: str) -> None:
        self._send("PUT", path, signed=True, repeatable=True, content=content, headers={"content-type": kind})


def _check_digest(content: bytes, digest: str) -> None:
    found = canonical.to_hex(canonical.sha256(content))
    if found != digest:
        raise VerificationError(
            "content_differs",
            "the service sent other bytes than those that were asked for",
            zh="服务端返回的内容与所请求的摘要不符",
            rule="client.content_matches_its_name",
            expected=digest,
            got=found,
            hint="do not use it; keep it and tell the supplier and an auditor",
            hint_zh="请勿使用；保留证据并告知供方与审计方",
        )


def _pending(digest: str, status: str) -> PortError:
    return PortError(
        "intent_pending",
        f"the service took {digest}, and it is not known yet what the ledger decided",
        zh=f"服务已受理 {digest}，账本结果尚不可知",
        expected="mined",
        got=status,
        hint=f"nothing is lost: do not repeat the command, which could do it twice; see `marketplace ledger intent "
        f"{digest}`",
        hint_zh=f"不会丢失：请勿重复命令以免重复办理；可执行 `marketplace ledger intent {digest}` 查看",
    )
