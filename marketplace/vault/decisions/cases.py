"""What a key holder decides about, and what comes of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

from marketplace.documents import Document, series_of
from marketplace.errors import NotAuthorizedError
from marketplace.queries.permission.pricing import minimum_cohort, question_of
from marketplace.queries.planning.plan import Plan
from marketplace.queries.planning.selection import Group
from marketplace.queries.protocol.handover import VaultTask
from marketplace.queries.protocol.requests import Requests
from marketplace.vault.keeping.ring import KeyRing
from marketplace.vault.keeping.store import Answered


class Holding(Protocol):
    """A data set whose key, or half of it, is here."""

    @property
    def manifest(self) -> Document:
        """What was sealed."""

    @property
    def ring(self) -> KeyRing:
        """The keys of its forms, or the halves."""

    @property
    def generation(self) -> int:
        """Of the half; 0 of a whole key."""


@dataclass(frozen=True)
class Case:
    """A checked task with the data it is about and the plan that answers it."""

    task: VaultTask
    dataset: Holding
    plan: Plan

    @property
    def minimum(self) -> int:
        return minimum_cohort(self.dataset.manifest, self.task.papers.terms)

    @cached_property
    def series(self) -> str:
        return series_of(self.dataset.manifest)

    @property
    def question(self) -> str:
        return question_of(self.plan.digest, self.dataset.manifest, self.task.papers.terms)

    def suppressed(self, answer: Answered) -> list[Group]:
        """The groups without a released number, as this query names them: one that asked for the same cells before may
        have had other group-by dimensions."""
        released = {self.plan.numbers[index].group for index in answer.residues}
        return [group for group in self.plan.groups if group not in released]


@dataclass(frozen=True)
class Decision:
    """What leaves the vault: a release with its shares, or a refusal. Both are signed."""

    release: Document | None = None
    shares: Document | None = None
    refusal: Document | None = None


@dataclass(frozen=True)
class Word:
    """To take the panel's word ("attested"): requests come from its nodes, and nothing is evaluated here.

    Args:
        requests: where they come from.
        nodes: BLS keys of the nodes whose word counts, "0x" hex; empty for any panel that terms of an accepted seller
            name.
    """

    requests: Requests
    nodes: frozenset[str] = frozenset()

    def check_panel(self, attestation: Mapping[str, Any], terms: Mapping[str, Any]) -> None:
        """Check that every signer is a node whose word counts.

        Raises:
            NotAuthorizedError: `node_not_accepted`.
        """
        keys = {node["address"]: node["bls"] for node in terms["panel"]["nodes"]}
        strangers = [signer for signer in attestation["signers"] if keys[signer] not in self.nodes]
        if self.nodes and strangers:
            raise NotAuthorizedError(
                "node_not_accepted",
                "the result is attested by a node whose word does not count here",
                zh="证明结果的计算节点未被本方认可",
                rule="vault.attested",
                expected=", ".join(sorted(self.nodes)),
                got=", ".join(keys[signer] for signer in strangers),
                hint="name the node's BLS key with --node, or derive every result anew: --trust rederive",
                hint_zh="请以 --node 指明该节点的 BLS 公钥,或改用 --trust rederive",
            )
