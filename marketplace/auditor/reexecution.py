"""Step 11: the panel's numbers are what the sealed data gives. Computed again on the ciphertexts, still seeing no value."""

import secrets
from collections import OrderedDict
from collections.abc import Iterable

from crypto.canonical import sha256, to_hex
from crypto.errors import CryptoError
from crypto.seal.cells import SealedChunk, open_chunk
from crypto.seal.evaluate import evaluate_sum
from crypto.seal.parameters import Profile, profile

from .bundle import Bundle
from .documents import MAX_BLOB, blob_name
from .findings import Report
from .queries import Released

_KEPT = 512  # opened chunks held in memory, 600 kB each for the largest profile


class Reexecution:
    """Evaluates released queries from the bundle's blobs."""

    def __init__(self, bundle: Bundle, report: Report) -> None:
        self._bundle, self._report = bundle, report
        self._chunks: OrderedDict[str, SealedChunk] = OrderedDict()
        self._numbers: dict[str, list[tuple[str, str]]] = {}

    def check(self, answer: Released) -> None:
        """A finding for each number of the result that the blobs do not give."""
        self._report.count("queries")
        try:
            numbers = self._evaluate(answer)
        except CryptoError as error:
            self._report.find("reexecution_failed", answer.subject, got=error)
            return
        for index, ((c0, c1), stated) in enumerate(zip(numbers, answer.result["numbers"], strict=False)):
            self._report.count("numbers")
            self._report.same("result_differs", f"{answer.subject} number {index} c0", c0, stated["c0"])
            self._report.same("result_differs", f"{answer.subject} number {index} c1", c1, stated["c1"])

    def _evaluate(self, answer: Released) -> list[tuple[str, str]]:
        """c0 and the digest of c1 for each number of the plan, as a result document writes them."""
        if answer.plan.digest not in self._numbers:
            manifest = answer.standing.manifest
            parameters = profile(manifest["profile"])
            columns = {column["name"]: column["chunks"] for column in manifest["columns"]}
            self._numbers[answer.plan.digest] = [
                self._number(parameters, [chunk["blob"] for chunk in columns[number.column]], number.cells)
                for number in answer.plan.numbers
            ]
        return self._numbers[answer.plan.digest]

    def _number(self, parameters: Profile, blobs: list[str], cells: Iterable[int]) -> tuple[str, str]:
        chunks = [self._chunk(parameters, blob) for blob in blobs]
        sealed = evaluate_sum(parameters, chunks, cells)  # type: ignore[arg-type]
        return f"0x{sealed.c0:064x}", to_hex(sealed.c1_digest())

    def _chunk(self, parameters: Profile, blob: str) -> SealedChunk:
        if blob not in self._chunks:
            content = self._bundle.read(blob_name(blob), MAX_BLOB)
            if to_hex(sha256(content)) != blob:
                raise CryptoError(f"blob {blob} does not hash to its name")
            self._chunks[blob] = open_chunk(parameters, content)
            if len(self._chunks) > _KEPT:
                self._chunks.popitem(last=False)
        self._chunks.move_to_end(blob)
        return self._chunks[blob]


def sample(answers: list[Released], size: int | None) -> list[Released]:
    """`size` answers that nobody could foresee, in the order of the log; all of them for None."""
    if size is None or size >= len(answers):
        return answers
    chosen = set(secrets.SystemRandom().sample(range(len(answers)), size))
    return [answer for index, answer in enumerate(answers) if index in chosen]
