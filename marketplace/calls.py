"""Calls of the contracts' verbs and the events they leave, to and from ABI bytes.

A call is (contract, verb, arguments); the contract is named as in a deployment's addresses. Arguments are JSON values
in the order of the Solidity function: intents as dicts of `marketplace.intents`, bytes (signatures) and bytes32 as "0x"
lower-case hex text. Pure: no chain is asked.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cache
from typing import Any, NamedTuple

from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError, EncodingError

from crypto.canonical import from_hex, keccak256, sha256, to_hex
from crypto.errors import ParameterError
from marketplace import artifacts
from marketplace.abi import IrregularError, Parameter, compile_encoder, encode_members
from marketplace.currencies import kind_of
from marketplace.errors import InvalidInputError
from marketplace.events import Event
from marketplace.intents import INTENTS
from marketplace.types import Digest

# What a relayer may send for participants. `submit` takes any number of the others' calldata in one transaction.
VERBS: dict[str, tuple[str, ...]] = {
    "Participants": ("admit", "setStatus", "requestAdmission", "resign"),
    "Rights": (
        *("register", "confirm", "transferShare", "mark"),
        *("pledgeShare", "releaseShare", "enforceShare", "encumberShare"),
    ),
    "Titles": ("transfer", "grant", "surrender", "revoke", "encumber", "pledge", "releasePledge", "permit", "enforce"),
    "Listings": ("list", "delist"),
    "Agreements": ("agree", "amend", "retire"),
    "SettlementToken": ("issue", "redeem", "payRedemption", "rejectRedemption", "expireRedemption"),
    "Orders": ("fund", "settle", "clear", "refund", "claim", "challenge", "finish"),
    "Evidence": ("anchor",),
    "Clearing": (
        "openBatch",
        "owe",
        "closeBatch",
        "closeOverdue",
        "collect",
        "drop",
        "confirmBatch",
        "confirmOverdue",
        "pay",
    ),
    "Keys": ("addKey", "endKey", "rotateKey", "setGuardians", "recover", "veto", "completeRecovery"),
    "Registrations": ("file", "act", "decide", "expire", "adopt"),
    "Deliveries": ("offer", "arrange", "deliver", "acknowledge", "accept", "object", "deem", "lapse"),
    "Lineage": ("declare", "consent", "withdraw"),
}
SUBMIT = "submit"


class Signed(NamedTuple):
    """One signature of a call, and what it is over.

    Args:
        intent: name of the intent.
        message: its fields.
        signer: address of the signer that the message names.
        signature: its bytes.
        field: the field that names the signer; "" for the buyer of a voucher.
    """

    intent: str
    message: Mapping[str, Any]
    signer: str
    signature: bytes
    field: str


def encode_call(contract: str, verb: str, arguments: Sequence[Any]) -> bytes:
    """Calldata of one call.

    Raises:
        InvalidInputError: unknown verb, wrong number of arguments, or a value outside its type.
    """
    selector, parameters = _function(contract, verb)
    if len(arguments) != len(parameters):
        raise malformed(f"{contract}.{verb}: expected {len(parameters)} arguments, got {len(arguments)}")
    with suppress(IrregularError):
        return selector + _quick_encoder(contract, verb)(arguments)
    try:
        values = [_to_abi(parameter, value) for parameter, value in zip(parameters, arguments, strict=True)]
        return selector + encode([parameter.kind for parameter in parameters], values)
    except (EncodingError, ParameterError, KeyError, TypeError) as problem:
        raise malformed(f"{contract}.{verb}: {problem}") from problem


def encode_batch(calls: Sequence[bytes]) -> bytes:
    """Calldata that submits several calls of one contract in one transaction."""
    return _selector("submit(bytes[])") + encode_members(calls)


def is_batch(calldata: bytes) -> bool:
    """Whether calldata names `submit`, whatever follows."""
    return calldata[:4] == _selector("submit(bytes[])")


def batch_members(calldata: bytes) -> Iterator[bytes]:
    """The calldata of each call of a batch, one at a time.

    Members of a foreign batch may lie over each other: 128 KB of calldata that name the same 64 KB two thousand times
    are a valid transaction. So they are never held together.

    Raises:
        InvalidInputError: the batch is not one that the contracts could read. Comes before the first member.
    """
    body = memoryview(calldata)[4:]
    start = _word(body, 0)
    count = _word(body, start)
    heads = start + 32
    if count > len(body) // 32 or heads + 32 * count > len(body):
        raise malformed(f"a batch of {count} calls in {len(calldata)} bytes")
    places = [_place(body, heads, heads + 32 * index) for index in range(count)]
    return (bytes(body[first:last]) for first, last in places)


def _place(body: memoryview, heads: int, at: int) -> tuple[int, int]:
    first = heads + _word(body, at) + 32
    last = first + _word(body, first - 32)
    if last > len(body):
        raise malformed("a call of the batch is cut off")
    return first, last


def _word(body: memoryview, at: int) -> int:
    if at + 32 > len(body):
        raise malformed("the batch is cut off")
    return int.from_bytes(body[at : at + 32], "big")


def decode_call(contract: str, calldata: bytes) -> tuple[str, list[Any]]:
    """Verb and arguments of calldata; for a batch "submit" and a list that holds the list of calls as hex text: of a
    foreign batch take `batch_members`.

    Raises:
        InvalidInputError: no verb of that contract, or the arguments do not parse.
    """
    verb = _verbs_by_selector(contract).get(calldata[:4])
    if verb is None:
        raise malformed(f"{contract} has no verb with selector {to_hex(calldata[:4])}")
    parameters = _function(contract, verb)[1]
    try:
        # Lenient about padding and trailing bytes, as the contracts are: an auditor must be able to read what they run.
        values = decode([parameter.kind for parameter in parameters], calldata[4:], strict=False)
    except (DecodingError, OverflowError) as problem:
        raise malformed(f"{contract}.{verb}: {problem}") from problem
    return verb, [_from_abi(parameter, value) for parameter, value in zip(parameters, values, strict=True)]


def decode_event(contract: str, topics: Sequence[bytes], data: bytes) -> Event:
    """The event of a log that `contract` emitted.

    Raises:
        InvalidInputError: not an event of that contract, or its fields do not parse.
    """
    known = events_of(contract).get(bytes(topics[0])) if topics else None
    if known is None:
        raise malformed(f"{contract} has no event with topic {to_hex(topics[0]) if topics else '(none)'}")
    name, parameters = known
    plain = [parameter for parameter in parameters if not parameter.indexed]
    indexed = [parameter for parameter in parameters if parameter.indexed]
    try:
        values = dict(zip(plain, decode([parameter.kind for parameter in plain], data), strict=True))
        for parameter, topic in zip(indexed, topics[1:], strict=True):
            values[parameter] = decode([parameter.kind], topic)[0]
    except (DecodingError, ValueError, OverflowError) as problem:
        raise malformed(f"{contract}.{name}: {problem}") from problem
    return Event(contract, name, {item.name: _from_abi(item, values[item]) for item in parameters})


def signers_of(contract: str, verb: str, arguments: Sequence[Any], buyer: str = "") -> list[Signed]:
    """Every signature that a call carries, in call order.

    Args:
        buyer: who signs a voucher: the buyer of its order. Needed for `settle` alone, whose voucher does not name one.
    Raises:
        InvalidInputError: the arguments do not have the verb's form.
    """
    found: list[Signed] = []
    pending: list[tuple[str, Mapping[str, Any], str, str]] = []
    try:
        for parameter, value in zip(_function(contract, verb)[1], arguments, strict=True):
            if parameter.struct:
                fields = INTENTS[parameter.struct].signers
                pending += [(parameter.struct, value, value[field], field) for field in fields]
                pending += [] if fields else [(parameter.struct, value, buyer, "")]
            elif parameter.kind == "bytes":
                intent, message, signer, field = pending.pop(0)
                found.append(Signed(intent, message, signer, from_hex(value), field))
    except (ParameterError, KeyError, TypeError, ValueError, IndexError) as problem:
        raise malformed(f"{contract}.{verb}: {problem}") from problem
    return found


def act_digest(verb: str, arguments: Sequence[Any], domain: bytes) -> Digest:
    """What names a call that nobody signs: what it does, and where.

    SHA-256 over the verb, the contract's EIP-712 domain separator, and the arguments: ids and addresses as their bytes,
    amounts as 8 bytes, big-endian. No verb without a signature can do the same thing twice, so the name is unique.
    """
    parts = [value.to_bytes(8, "big") if isinstance(value, int) else from_hex(value) for value in arguments]
    return Digest(to_hex(sha256(verb.encode() + domain + b"".join(parts))))


def parameters_of(contract: str, verb: str) -> tuple[Parameter, ...]:
    """The parameters of a verb, structs with their fields."""
    return _function(contract, verb)[1]


@cache
def events_of(contract: str) -> dict[bytes, tuple[str, tuple[Parameter, ...]]]:
    """By first topic: the name and the fields of each of the contract's events."""
    events = {}
    for entry in artifacts.load(contract).entries("event"):
        parameters = tuple(_parameter(item) for item in entry["inputs"])
        text = f"{entry['name']}({','.join(parameter.kind for parameter in parameters)})"
        events[keccak256(text.encode())] = (entry["name"], parameters)
    return events


@cache
def selector_of(contract: str, verb: str) -> bytes:
    """The four bytes that a call of a verb begins with. Raises InvalidInputError: `call_malformed`, no such verb."""
    return _function(contract, verb)[0]


def malformed(message: str) -> InvalidInputError:
    """The error for a call of the wrong form."""
    return InvalidInputError("call_malformed", message, zh="合约调用的格式不正确")


@cache
def _function(contract: str, verb: str) -> tuple[bytes, tuple[Parameter, ...]]:
    kind = kind_of(contract)
    if verb not in (*VERBS.get(kind, ()), SUBMIT) or kind not in VERBS:
        raise malformed(f"{contract} has no verb {verb}")
    (entry,) = [entry for entry in artifacts.load(contract).entries("function") if _is_verb(entry, verb)]
    parameters = tuple(_parameter(item) for item in entry["inputs"])
    return _selector(f"{verb}({','.join(parameter.kind for parameter in parameters)})"), parameters


@cache
def _quick_encoder(contract: str, verb: str) -> Callable[[Sequence[Any]], bytes]:
    return compile_encoder(_function(contract, verb)[1])


def _is_verb(entry: Mapping[str, Any], verb: str) -> bool:
    return bool(entry["name"] == verb)


@cache
def _verbs_by_selector(contract: str) -> dict[bytes, str]:
    return {_function(contract, verb)[0]: verb for verb in (*VERBS[kind_of(contract)], SUBMIT)}


def _parameter(item: Mapping[str, Any]) -> Parameter:
    if not item["type"].startswith("tuple"):
        return Parameter(item["name"], item["type"], indexed=item.get("indexed", False))
    fields = tuple(_parameter(field) for field in item["components"])
    kind = f"({','.join(field.kind for field in fields)}){item['type'][len('tuple') :]}"
    return Parameter(item["name"], kind, item["internalType"].rpartition(".")[2], fields)


@cache
def _selector(signature: str) -> bytes:
    return keccak256(signature.encode())[:4]


def _to_abi(parameter: Parameter, value: Any) -> Any:
    if parameter.struct:
        if set(value) != {field.name for field in parameter.fields}:
            raise ParameterError(
                f"{parameter.struct}: expected the fields {[field.name for field in parameter.fields]}"
            )
        return tuple(_to_abi(field, value[field.name]) for field in parameter.fields)
    if parameter.kind.endswith("[]"):
        return [_to_abi(Parameter(parameter.name, parameter.kind[:-2]), item) for item in value]
    if parameter.kind.startswith("bytes"):
        size = int(parameter.kind[5:]) if parameter.kind[5:] else None
        return from_hex(value, size, parameter.name)
    return value


def _from_abi(parameter: Parameter, value: Any) -> Any:
    if parameter.struct:
        return {field.name: _from_abi(field, item) for field, item in zip(parameter.fields, value, strict=True)}
    if isinstance(value, bytes):
        return to_hex(value)
    if isinstance(value, (tuple, list)):
        return [_from_abi(Parameter(parameter.name, parameter.kind[:-2]), item) for item in value]
    return value
