"""What an error of the cryptographic core is to a person and to a program.

The core names the field's own faults and knows no market (crypto/errors.py); here each gets a code, a rule and a hint,
in both languages. Its own sentence stays the English message; beside the Chinese one it stands as `got`.
"""

from typing import NamedTuple

from crypto.errors import (
    CryptoError,
    DecryptionFailed,
    InvalidKey,
    InvalidProof,
    InvalidSignature,
    LoaderDied,
    LoaderUnavailable,
    MalformedInput,
    ParameterError,
)
from marketplace.errors import InvalidInputError, MarketplaceError, NotAuthorizedError, PortError


class Told(NamedTuple):
    """The refusal that a kind of error becomes."""

    family: type[MarketplaceError]
    code: str
    zh: str
    rule: str
    hint: str
    hint_zh: str


CRYPTO: dict[type[CryptoError], Told] = {
    InvalidSignature: Told(
        NotAuthorizedError,
        "signature_invalid",
        "签名未通过验证",
        "crypto.signature_verifies",
        "sign exactly what is sent, with the key that is named",
        "请以所指明的密钥对提交内容原样签名",
    ),
    ParameterError: Told(
        InvalidInputError,
        "parameter_invalid",
        "密码学参数超出允许范围",
        "crypto.parameters_in_range",
        "keep to the lengths and ranges that the message names",
        "请使用提示所列长度与范围之内的参数",
    ),
    MalformedInput: Told(
        InvalidInputError,
        "malformed_input",
        "数据格式不符合规范",
        "crypto.bytes_well_formed",
        "send the documented form, byte for byte; JSON documents in canonical form (RFC 8785)",
        "请按规范格式逐字节提交；JSON 文档须为规范形式（RFC 8785）",
    ),
    InvalidKey: Told(
        InvalidInputError,
        "key_invalid",
        "密钥无效",
        "crypto.keys_are_valid",
        "send a valid public key in the documented encoding",
        "请按规定编码提交有效的公钥",
    ),
    InvalidProof: Told(
        InvalidInputError,
        "proof_invalid",
        "证明未通过验证",
        "crypto.proof_leads_to_its_root",
        "make the proof anew, for exactly this root or statement",
        "请针对该根值或陈述重新生成证明",
    ),
    DecryptionFailed: Told(
        InvalidInputError,
        "decryption_failed",
        "无法解密",
        "crypto.opens_with_its_key",
        "is the password right, and is this the key that it was sealed to?",
        "请检查口令，以及是否为封存时所用的密钥",
    ),
    LoaderUnavailable: Told(
        PortError,
        "loader_not_started",
        "隔离加载进程无法启动",
        "service.available",
        "is memory or the number of processes of this user limited? then try again",
        "请检查本用户的内存与进程数限制后重试",
    ),
    LoaderDied: Told(
        InvalidInputError,
        "loader_died",
        "该数据使隔离加载进程异常终止",
        "crypto.foreign_blobs_load",
        "do not use these bytes; ask their sender for others",
        "请勿使用该数据；请向其提供方重新索取",
    ),
    CryptoError: Told(
        InvalidInputError,
        "crypto_refused",
        "密码学校验未通过",
        "crypto.checks",
        "check where these bytes come from, and ask for them again",
        "请核对数据来源后重新获取",
    ),
}


def from_crypto(error: CryptoError) -> MarketplaceError:
    """The refusal that an error of the core is; its messages carry no secrets."""
    told = next(CRYPTO[kind] for kind in type(error).__mro__ if kind in CRYPTO)
    text = str(error) or told.code.replace("_", " ")
    more = {"rule": told.rule, "hint": told.hint, "hint_zh": told.hint_zh}
    return told.family(told.code, text, zh=told.zh, got=text, **more)
