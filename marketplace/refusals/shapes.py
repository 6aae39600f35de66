"""What is wrong with the shape of a value, in Chinese: pydantic tells service and command line in English alone."""

from collections.abc import Mapping
from typing import Any

# pydantic's kinds of error; {names} stand for values of its context.
SHAPES: Mapping[str, str] = {
    "missing": "缺少该字段",
    "extra_forbidden": "没有该字段",
    "json_invalid": "不是有效的 JSON",
    "model_attributes_type": "应为 JSON 对象",
    "model_type": "应为 JSON 对象",
    "dict_type": "应为 JSON 对象",
    "list_type": "应为数组",
    "string_type": "应为文本",
    "string_too_short": "文本至少 {min_length} 个字符",
    "string_too_long": "文本至多 {max_length} 个字符",
    "string_pattern_mismatch": "文本须符合 {pattern}",
    "int_type": "应为整数",
    "int_parsing": "应为整数",
    "int_from_float": "应为整数",
    "int_parsing_size": "整数过大",
    "float_type": "应为数值",
    "float_parsing": "应为数值",
    "finite_number": "应为有限数值",
    "bool_type": "应为 true 或 false",
    "bool_parsing": "应为 true 或 false",
    "greater_than": "应大于 {gt}",
    "greater_than_equal": "应不小于 {ge}",
    "less_than": "应小于 {lt}",
    "less_than_equal": "应不大于 {le}",
    "too_short": "至少 {min_length} 项",
    "too_long": "至多 {max_length} 项",
    "literal_error": "应为 {expected} 之一",
    "enum": "应为 {expected} 之一",
    "none_required": "应为 null",
    "date_from_datetime_parsing": "应为日期",
    "date_parsing": "应为日期",
    "string_unicode": "文本须为有效的 Unicode",
}


def shape_fault(kind: str, values: Mapping[str, Any]) -> str:
    """What is wrong with a member, in Chinese."""
    return SHAPES.get(kind, "内容不符合要求").format_map(_Shown(values))


class _Shown(dict[str, Any]):
    def __missing__(self, name: str) -> str:
        return "规定值"
