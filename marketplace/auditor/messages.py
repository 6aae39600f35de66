"""The steps and everything that they can find, in English and Chinese.

One entry for each code; docs/audit.md lists the same codes.
"""

STEPS: dict[int, tuple[str, str]] = {
    1: ("Profile and roots of trust", "概况与信任根"),
    2: ("Header chain", "区块头链"),
    3: ("Transactions and receipts", "交易与回执"),
    4: ("Deployed contracts", "已部署合约"),
    5: ("Signed intents replayed by rule", "按规则重放签名意图"),
    6: ("Read model", "读模型"),
    7: ("Conservation of money", "资金守恒"),
    8: ("Evidence log", "证据日志"),
    9: ("Documents", "文档"),
    10: ("Queries, attestations and releases", "查询、证明与释放"),
    11: ("Re-execution on ciphertexts", "密文重算"),
    12: ("Verdict", "结论"),
}

MESSAGES: dict[str, tuple[str, str]] = {
    # any step
    "file_unreadable": ("A file of the bundle is missing or cannot be read.", "证据包中的文件缺失或无法读取。"),
    "file_unknown": ("The bundle holds a file that is no evidence.", "证据包中有不属于证据的文件。"),
    "line_unreadable": ("A line is not one canonical JSON object.", "某行不是规范的 JSON 对象。"),
    "field_unknown": ("An object has a field that is no evidence.", "对象中有不属于证据的字段。"),
    # 2
    "ledger_empty": ("There is no readable block header.", "没有可读取的区块头。"),
    "header_malformed": ("A block header cannot be read.", "区块头无法读取。"),
    "header_hash": ("A block header does not hash to its stated hash.", "区块头的哈希与所述不符。"),
    "header_number": ("A block number does not follow the one before.", "区块编号不连续。"),
    "header_parent": ("A block does not name the block before as its parent.", "区块的父哈希与前一区块不符。"),
    "header_time": ("A block is not later than the one before.", "区块时间不晚于前一区块。"),
    "genesis_pinned": ("The first block is not the one that the auditor pinned.", "首个区块与审计方指定的不符。"),
    # 3
    "transaction_malformed": ("A transaction cannot be read.", "交易无法读取。"),
    "transaction_without_block": (
        "A transaction's block is not in the bundle.",
        "交易所属区块不在证据包中。",
    ),
    "transaction_chain": ("A transaction is for another chain.", "交易属于另一条链。"),
    "transaction_nonce": ("A sender's transactions leave a gap or repeat a number.", "发送方的交易序号有缺口或重复。"),
    "transactions_root": (
        "A block's transactions are not those that its header commits to.",
        "区块中的交易与区块头承诺的不符。",
    ),
    "receipt_malformed": ("A receipt cannot be read or stands in the wrong place.", "回执无法读取或位置错误。"),
    "receipt_count": ("A block has not one receipt for each transaction.", "区块的回执数与交易数不符。"),
    "receipts_root": (
        "A block's receipts are not those that its header commits to.",
        "区块中的回执与区块头承诺的不符。",
    ),
    "receipt_field": ("A receipt repeats something wrongly.", "回执中重复的信息与事实不符。"),
    "receipt_bloom": ("A receipt's filter is not that of its logs.", "回执的过滤器与其日志不符。"),
    "header_bloom": ("A block's filter is not that of its receipts.", "区块的过滤器与其回执不符。"),
    "header_gas": ("A block's gas is not its receipts' sum.", "区块的燃料量与其回执之和不符。"),
    "header_field": (
        "A header object says what its block does not bear out.",
        "区块头对象与区块内容不符。",
    ),
}
