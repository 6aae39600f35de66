"""The compute panel as its users see it: nodes and their BLS keys with proofs of possession."""

from collections.abc import Iterable, Mapping
from typing import Any

from crypto import bls
from crypto.canonical import from_hex, to_hex
from marketplace.errors import InvalidInputError
from marketplace.queries.protocol.panels import KINDS
from marketplace.sdk import evidence
from marketplace.sdk.checks import expect
from marketplace.sdk.client import Client


def register_key(client: Client) -> dict[str, Any]:
    """Publish this node's BLS public key with its proof of possession; the participant needs the role PANEL."""
    secret = client.keys.bls_secret
    body = {"bls": to_hex(bls.public_key(secret)), "possession": to_hex(bls.prove_possession(secret))}
    found: dict[str, Any] = client.post("/panel/keys", body, repeatable=True)
    return found


def list_nodes(client: Client) -> list[dict[str, Any]]:
    """The panel's nodes with a proved key: {"address", "bls", "possession"} each."""
    nodes = [{name: item[name] for name in ("address", "bls", "possession")} for item in client.pages("/panel/keys")]
    for node in nodes:
        check_possession(node)
    return nodes


def standing(client: Client) -> list[dict[str, Any]]:
    """How each node stands: {"address", "asked", "answered", "agreed"} and for each kind of fact that may be held
    against it ("differed", "equivocated", "late", "absent") {"count", "leaves", "proof"}.

    `leaves` are positions in the log, the latest hundred. `proof` is "node_signature" where the node's own signature is
    the evidence, "operator_word" where only the operator says so.
    """
    return list(client.pages("/panel/standing"))


def verify_standing(client: Client, found: Iterable[Mapping[str, Any]]) -> int:
    """Check that the log holds, under its signed root, every leaf that `standing` names; returns how many.

    It proves what the log says. The signatures behind it are in documents that buyer, vault, panel and auditors read;
    `marketplace audit` checks those.

    Raises:
        VerificationError: `evidence_differs`: a leaf holds something else, or against somebody else.
    """
    checked = 0
    for node in found:
        for fact, kind in KINDS.items():
            for position in node[fact.value]["leaves"]:
                leaf = evidence.verify_entry(client, position)
                said, wanted = (leaf["type"], leaf.get("node")), (kind.leaf, node["address"])
                expect(said, wanted, "evidence_differs", "evidence.leaves_name_their_node")
                checked += 1
    return checked


def choose_panel(client: Client, addresses: Iterable[str], threshold: int) -> dict[str, Any]:
    """The panel part of a listing's terms: these nodes (all when none is named) and how many must agree.

    Raises:
        InvalidInputError: a node has no registered key, or the threshold is not one that these nodes can meet.
    """
    known = {node["address"]: node for node in list_nodes(client)}
    wanted = list(addresses) or sorted(known)
    missing = [address for address in wanted if address not in known]
    if missing or not 1 <= threshold <= len(wanted):
        raise InvalidInputError(
            "panel_incomplete",
            "these nodes cannot make the panel",
            zh="所选节点无法组成计算小组",
            rule="listings.panel_can_reach_its_threshold",
            expected={"threshold": f"1 to {len(wanted)}", "nodes": sorted(known)},
            got={"threshold": threshold, "unknown": missing},
            hint="each node registers its key with: marketplace panel register",
            hint_zh="各节点须先执行 marketplace panel register",
        )
    return {"nodes": [known[address] for address in wanted], "threshold": threshold}


def check_possession(node: Mapping[str, Any]) -> None:
    """Check that a node holds the secret of the key it shows.

    Raises:
        crypto.errors.InvalidProof: it does not. crypto.errors.InvalidKey: it is no key.
    """
    bls.verify_possession(from_hex(node["bls"], 48), from_hex(node["possession"], 96))
