"""English or Chinese: which one the reader prefers, and the names of HTTP's statuses."""

from collections.abc import Mapping

ENGLISH, CHINESE = "en", "zh"

TITLES: Mapping[int, str] = {
    400: "请求无法读取",
    401: "未登录",
    403: "无权限",
    404: "未找到",
    405: "方法不允许",
    409: "规则不允许",
    413: "内容过大",
    415: "媒体类型不支持",
    422: "内容不符合要求",
    429: "请求过多",
    500: "服务内部错误",
    503: "服务暂不可用",
}


def preferred(accept_language: str) -> str:
    """The reader's language by the header Accept-Language (RFC 9110); English where it prefers neither or says nothing
    that can be read."""
    best, chosen = 0.0, ENGLISH
    for part in accept_language.split(",")[:20]:
        tag, _, weight = part.strip().lower().partition(";q=")
        language = ENGLISH if tag == "*" else tag.partition("-")[0]
        if language in (ENGLISH, CHINESE) and (found := _weight(weight)) > best:
            best, chosen = found, language
    return chosen


def _weight(text: str) -> float:
    try:
        return float(text or 1)
    except ValueError:
        return 0.0
