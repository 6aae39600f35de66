"""Shapes of what comes in and goes out: strict, so that two programs cannot read the same bytes differently.

Names in JSON are camelCase as in the signed structures; addresses and digests are lower-case hex text; integers are
JSON integers below 2^53, the largest that every JSON reader keeps exact.
"""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from marketplace.types import Address, Digest

MAX_INTEGER = 2**53 - 1

AddressText = Annotated[
    Address, Field(pattern="^0x[0-9a-f]{40}$", examples=["0x70997970c51812dc3a010c7d01b50e0d17dc79c8"])
]
DigestText = Annotated[Digest, Field(pattern="^0x[0-9a-f]{64}$", examples=["0x" + "5f" * 32])]
SignatureText = Annotated[
    str, Field(pattern="^0x[0-9a-f]{130}$", description="65 bytes: r, s, v", examples=["0x" + "11" * 65])
]
Count = Annotated[int, Field(strict=True, ge=0, le=MAX_INTEGER)]
UInt8 = Annotated[int, Field(strict=True, ge=0, le=2**8 - 1)]
UInt16 = Annotated[int, Field(strict=True, ge=0, le=2**16 - 1)]
CurrencyNumber = Annotated[
    int,
    Field(strict=True, ge=0, le=2**16 - 1, description="ISO 4217 numeric code, one of the market's", examples=[156]),
]
UInt32 = Annotated[int, Field(strict=True, ge=0, le=2**32 - 1)]
UInt48 = Annotated[int, Field(strict=True, ge=0, le=2**48 - 1)]
Document = dict[str, Any]


class Shape(BaseModel):
    """A JSON object whose every member is known."""

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid", frozen=True, serialize_by_alias=True)

    def to_message(self) -> dict[str, Any]:
        """The object with its JSON names, ready to be hashed or stored."""
        return self.model_dump(by_alias=True)


class Queued(Shape):
    """An intent was taken; follow it at `/intents/{intent}`."""

    intent: DigestText
    status: str = "queued"


class Problem(BaseModel):
    """A refusal (RFC 9457). `code` is stable; title, detail and hint are in the language that Accept-Language prefers,
    English or Chinese."""

    type: str = Field(examples=["urn:marketplace:problem:escrow_too_small"])
    title: str
    status: int
    detail: str
    code: str
    instance: str = ""
    trace_id: str = Field(description="quote it when you ask the operator")
    en: str = Field(description="the detail in English")
    zh: str = Field(description="the detail in Chinese")
    rule: str = Field(description="the rule that refuses")
    rulebook: str = Field(description="version of the rulebook that has the rule")
    expected: Any = None
    got: Any = None
    expected_zh: Any = Field(default=None, description="the same in Chinese, where words say it")
    got_zh: Any = Field(default=None, description="the same in Chinese, where words say it")
    hint: str = Field(description="what to do next")
    hint_en: str = Field(description="the hint in English")
    hint_zh: str = Field(description="the hint in Chinese")
    errors: list[dict[str, Any]] | None = Field(
        default=None, description="each member of the body that has a wrong shape"
    )


class Voucher(Shape):
    """Signed by the order's buyer; cumulative."""

    order_id: DigestText
    amount: Count
    epsilon: Count
    calls: UInt32
    calls_root: DigestText
