"""Why something else failed, in both languages: what a refusal says of the error that led to it.

Parsers and operating systems speak English alone. In Chinese their kind of fault is named instead; their own words
belong into `got`, where whoever mends it finds them.
"""

from crypto.errors import CryptoError
from marketplace.errors import MarketplaceError
from marketplace.refusals.cryptographic import from_crypto
from marketplace.words import Words


def reason_of(error: BaseException) -> Words:
    """What an error says, in English and Chinese.

    Args:
        error: ours, the cryptographic core's, or one of the libraries and the system below.
    """
    if isinstance(error, MarketplaceError):
        return Words(error.message, error.zh)
    if isinstance(error, CryptoError):
        told = from_crypto(error)
        return Words(told.message, told.zh)
    if isinstance(error, OSError):
        return Words(error.strerror or str(error), _SYSTEM.get(type(error), "系统无法完成该操作"))
    return Words(" ".join(str(error).split()) or type(error).__name__, "内容不符合格式")


_SYSTEM: dict[type[BaseException], str] = {
    FileNotFoundError: "文件或目录不存在",
    FileExistsError: "文件已存在",
    PermissionError: "没有权限",
    IsADirectoryError: "所指为目录",
    NotADirectoryError: "所指不是目录",
    ConnectionRefusedError: "连接被拒绝",
    ConnectionResetError: "连接中断",
    TimeoutError: "等待超时",
}
