"""The steps and everything that they can find, in English and Chinese.

One entry for each code; docs/audit.md lists the same codes.
"""

STEPS: dict[int, tuple[str, str]] = {
    1: ("Profile and roots of trust", "概况与信任根"),
    2: ("Header chain", "区块头链"),
    3: ("Transactions and receipts", "交易与回执"),
    4: ("Deployed contracts", "已部署合约"),
    5: ("Signed intents, replayed by rule", "按规则重放签名意图"),
    6: ("Read model", "读模型"),
    7: ("Conservation of money", "资金守恒"),
    8: ("Evidence log", "证据日志"),
    9: ("Documents and sealed blobs", "文档与密文"),
    10: ("Queries, attestations and releases", "查询、证明与释放"),
    11: ("Re-execution on ciphertexts", "密文重算"),
    12: ("Verdict", "结论"),
}

# step, or 0 outside of any -> (rule that its findings break, what to do next, the same in Chinese). The last step, the
# verdict, finds nothing.
ADVICE: dict[int, tuple[str, str, str]] = {
    0: ("audit.evidence_holds", "keep the bundle, and do not rely on what is named", "请保留证据包，勿依赖所指内容"),
    1: (
        "audit.roots_of_trust",
        "get the profile from someone you trust, and pin it",
        "请从可信渠道获取概况并予以指定",
    ),
    2: (
        "audit.headers_form_a_chain",
        "ask another holder of the ledger for the headers; where they agree among themselves, this bundle was altered",
        "请向账本的其他持有者索取区块头；若彼此一致，则本证据包已被改动",
    ),
    3: (
        "audit.receipts_follow_from_headers",
        "get the block's transactions and receipts from another node of the ledger",
        "请从账本的其他节点获取该区块的交易与回执",
    ),
    4: (
        "audit.contracts_are_the_published_build",
        "do not rely on this ledger until the operator explains which code runs on it",
        "在运营方说明链上运行何种代码之前，请勿依赖该账本",
    ),
    5: (
        "audit.every_act_is_signed_and_by_rule",
        "keep the bundle; the act that is named was not signed, or no rule allows it",
        "请保留证据包；所指行为未经签署或不符合规则",
    ),
    6: (
        "audit.read_model_follows_from_the_ledger",
        "rely on the ledger; ask the operator to rebuild: `marketplace ledger rebuild`",
        "请以账本为准；并请运营方重建：`marketplace ledger rebuild`",
    ),
    7: (
        "audit.money_is_conserved",
        "stop settlements and compare with the bank's statements",
        "请停止清算并与银行对账单核对",
    ),
    8: (
        "audit.log_only_grows",
        "keep both checkpoints: together they prove that the log was rewritten",
        "请保留两个检查点：二者可共同证明日志被改写",
    ),
    9: (
        "audit.documents_match_their_digests",
        "ask the document's party for its own copy, and compare digests",
        "请向文档当事方索取其留存副本并比对摘要",
    ),
    10: (
        "audit.answers_follow_from_the_rules",
        "hold the bill of the call that is named; keep the documents for a dispute",
        "请暂缓支付所指调用，并保留相关文档以备争议处理",
    ),
    11: (
        "audit.results_follow_from_the_ciphertexts",
        "do not rely on the answer; `marketplace panel standing` shows what is held against its nodes",
        "请勿依赖该答复；`marketplace panel standing` 可查看相关节点的记录",
    ),
}

# code -> the same, of findings for which their step's would mislead: no document is forged, a rule of the market is not
# kept by whoever queued a listing or an order.
_NO_SALE = (
    "order nothing under the listing, and ask the operator why it queued what its own rules refuse",
    "请勿在该挂牌下订购，并询问运营方为何受理其规则所不允许的挂牌",
)
_NO_ORDER = (
    "refund the order, or settle it for nothing, and ask the operator why it queued what its own rules refuse",
    "请退款或以零金额结算该订单，并询问运营方为何受理其规则所不允许的订单",
)
OWN_ADVICE: dict[str, tuple[str, str, str]] = {
    "file_unknown": (
        "audit.evidence_holds",
        "believe nothing in the file: no evidence refers to it; ask whoever gave you the bundle how it came there, or "
        "get one from the exchange yourself",
        "请勿采信该文件：没有证据引用它；请询问证据包提供者其来由，或自行向交易所获取证据包",
    ),
    "form_unfit": (
        "registrations.forms",
        "ask the registrar why it took up the case; what the form leaves out was examined by nobody",
        "请询问登记机构为何受理该案件；申请表未填事项未经审查",
    ),
    "case_paper_unfit": (
        "registrations.forms",
        "ask the registrar why the step was taken without it; what nobody wrote down, nobody can review",
        "请询问登记机构为何缺少材料仍予办理；未载明的理由无从复核",
    ),
    "listing_differs": (
        "listings.terms_are_the_listing",
        "order under no such listing; ask the seller to list what its terms say",
        "请勿在该挂牌下订购，并请卖方按条款重新挂牌",
    ),
    "plan_unfit": ("pricing.plan_fits_rulebook", *_NO_SALE),
    "cohort_below_manifest": ("listings.cohort_at_least_manifest", *_NO_SALE),
    "order_not_permitted": ("orders.purpose_is_permitted", *_NO_ORDER),
    "escrow_too_small": ("orders.escrow_covers_one_call", *_NO_ORDER),
    "budget_not_needed": ("orders.questions_alone_spend_budget", *_NO_ORDER),
    "revenue_cap": ("pricing.max_permitted_revenue", *_NO_ORDER),
    "trial_used": ("pricing.trial_once_a_buyer", *_NO_ORDER),
    "term_beyond_period": ("pricing.one_period_an_order", *_NO_ORDER),
    "paper_of_unpaid_order": (
        "settlement.voucher_of_a_paid_order",
        "do not take the paper for a proof of payment; ask for one from after the batch has paid",
        "请勿以该凭证作为付款证明；请在批次支付后重新获取",
    ),
}

NOTES: dict[str, tuple[str, str]] = {
    "trust_from_bundle": (
        "NOT PINNED, taken from the bundle itself: {names}. Get these from someone you trust and pin them.",
        "未指定、取自证据包本身：{names}。请从可信渠道获取并指定。",
    ),
    "audit_stopped": (
        "The audit stopped after step {step}: what the later steps stand on could not be established.",
        "审计在第 {step} 步后中止：后续步骤所依据的内容无法确立。",
    ),
    "reexecution_whole": (
        "All {total} released answers were computed again.",
        "全部 {total} 个已释放结果均已重算。",
    ),
    "reexecution_sampled": (
        "{done} of {total} released answers were computed again; --full computes all of them.",
        "已重算 {total} 个已释放结果中的 {done} 个；--full 可全部重算。",
    ),
    "papers_compared": (
        "{done} papers were compared with what the evidence gives at its last block.",
        "已将 {done} 份凭证与证据在其最后区块所得内容比对。",
    ),
    "profiles_withheld": (
        "{left} of {total} identity profiles are not in the bundle: only natural persons' may be left out, and the "
        "ledger does not tell whose they are; that those participants signed their agreement was not checked.",
        "{total} 份身份资料中有 {left} 份不在证据包中：仅自然人的可不提供，账本不载明其主体性质；未核对其入场协议。",
    ),
    "payouts_withheld": (
        "{left} of {total} payout documents are not in the bundle; they are personal and may be left out.",
        "{total} 份收款信息中有 {left} 份不在证据包中；属个人信息，可不提供。",
    ),
    "paper_unsigned": (
        "{name} carries no signature: its content is compared, who made it is not.",
        "{name} 未附签名：仅比对内容，不核实出具人。",
    ),
}

# What may be held against a panel node; no findings, see docs/audit.md.
NAMED: dict[str, tuple[str, str]] = {
    "node_lied": (
        "signed a result that the ciphertexts do not give: proven by its signature and by computing again",
        "签署了与密文不符的结果：由其签名与重算证明",
    ),
    "node_equivocated": (
        "signed two results of one query: proven by its signatures",
        "对同一查询签署了两个结果：由其签名证明",
    ),
    "node_late": (
        "answered after the deadline: the operator's word, for only its log says when",
        "截止时间后才作答：仅为运营方所述，时间只见于其日志",
    ),
    "node_absent": (
        "did not answer by the deadline: the operator's word; nothing the node signed shows it",
        "截止时间前未作答：仅为运营方所述，并无节点签名为证",
    ),
}

MESSAGES: dict[str, tuple[str, str]] = {
    # any step
    "file_unreadable": ("A file of the bundle is missing or cannot be read.", "证据包中的文件缺失或无法读取。"),
    "file_unknown": ("The bundle holds a file that is no evidence.", "证据包中有不属于证据的文件。"),
    "line_unreadable": ("A line is not one JSON object.", "某行不是 JSON 对象。"),
    "line_not_canonical": ("A line is not in canonical form.", "某行不是规范形式。"),
    "field_unknown": ("An object has a field that is no evidence.", "对象中有不属于证据的字段。"),
    # 1
    "profile_malformed": ("The profile lacks something or states it wrongly.", "概况缺少内容或表述有误。"),
    "profile_pinned": ("The profile contradicts what the auditor pinned.", "概况与审计方指定的内容相矛盾。"),
    "profile_differs": ("The profile contradicts the ledger.", "概况与账本相矛盾。"),
    # 2
    "ledger_empty": ("There is no readable block header.", "没有可读取的区块头。"),
    "header_malformed": ("A block header cannot be read.", "区块头无法读取。"),
    "block_seen": ("A block is not the one that was seen elsewhere.", "区块与他处所见不符。"),
    "header_hash": ("A block header does not hash to its stated hash.", "区块头的哈希与所述不符。"),
    "header_number": ("A block number does not follow the one before.", "区块编号不连续。"),
    "header_parent": ("A block does not name the block before as its parent.", "区块的父哈希与前一区块不符。"),
    "header_time": ("A block is not later than the one before.", "区块时间不晚于前一区块。"),
    "genesis_pinned": ("The first block is not the one that was pinned.", "首个区块与审计方指定的不符。"),
    # 3
    "transaction_malformed": ("A transaction cannot be read.", "交易无法读取。"),
    "transaction_without_block": ("A transaction's block is not in the bundle.", "交易所属区块不在证据包中。"),
    "transaction_chain": ("A transaction is for another chain.", "交易属于另一条链。"),
    "transaction_nonce": ("A sender's transactions leave a gap or repeat.", "发送方的交易序号有缺口或重复。"),
    "transactions_root": ("A block's transactions are not its header's.", "区块中的交易与区块头承诺的不符。"),
    "receipt_malformed": ("A receipt cannot be read or is misplaced.", "回执无法读取或位置错误。"),
    "receipt_count": ("A block has not one receipt for each transaction.", "区块的回执数与交易数不符。"),
    "receipts_root": ("A block's receipts are not its header's.", "区块中的回执与区块头承诺的不符。"),
    "receipt_field": ("A receipt repeats something wrongly.", "回执中重复的信息与事实不符。"),
    "receipt_bloom": ("A receipt's filter is not that of its logs.", "回执的过滤器与其日志不符。"),
    "header_bloom": ("A block's filter is not that of its receipts.", "区块的过滤器与其回执不符。"),
    "header_gas": ("A block's gas is not its receipts' sum.", "区块的燃料量与其回执之和不符。"),
    "header_field": ("A header object says what its block does not bear out.", "区块头对象与区块内容不符。"),
    # 4
    "contract_missing": ("A contract was never created at its address.", "合约未在其地址创建。"),
    "contract_unknown": ("The ledger holds a contract that is not the market's.", "账本上有不属于本市场的合约。"),
    "contract_failed": ("The creation of a contract failed.", "合约创建失败。"),
    "contract_arguments": ("Constructor arguments cannot be read.", "构造参数无法读取。"),
    "contract_address": ("A contract's address does not follow from its deployer.", "合约地址与部署者不符。"),
    "contract_code": ("A contract is not the published build.", "合约代码与公布的构建不符。"),
    "registrar_pinned": ("The first registrar is not the one that was pinned.", "首任登记机构与指定的不符。"),
    "treasury_pinned": ("Fees do not go to the account that was pinned.", "手续费账户与指定的不符。"),
    "rulebook_pinned": (
        "The rulebook that the exchange was founded with is not the one that was pinned.",
        "创始规则与指定的不符。",
    ),
    "fee_pinned": ("The fee is not the one that was pinned.", "手续费率与指定的不符。"),
    # 5
    "event_missing": ("The rules give an event that the ledger lacks.", "按规则应有的事件在账本中缺失。"),
    "event_extra": ("The ledger has an event that no rule gives.", "账本中有规则之外的事件。"),
    "event_differs": ("An event is not what the signed intent gives by rule.", "事件与签名意图按规则所得不符。"),
    "event_unknown": ("A log is no event of the market.", "日志不是本市场的事件。"),
    "transaction_failed": ("A transaction to the market failed as a whole.", "发往本市场的交易整体失败。"),
    "transaction_foreign": ("A transaction goes to none of the contracts.", "交易未发往任何一个合约。"),
    "case_rulebook_unknown": (
        "A case names a rulebook that the auditor does not know.",
        "案件所依规则文件为审计方所未知。",
    ),
    "case_dates": ("An act in a case states another date than its rulebook gives.", "案件行为所述日期与规则不符。"),
    "acceptance_late": ("An application was accepted after the period for it.", "超过受理期限才受理申请。"),
    "decision_late": ("A case or an objection was decided after its period.", "超过办理期限才对案件或异议作出决定。"),
    "notice_short": ("A public notice is shorter than the rulebook's.", "公示期短于规则规定。"),
    "deposit_early": ("An entry was made before its public notice was over.", "公示期未满即予登簿。"),
    "notice_left_out": ("An entry was made without the public notice that it needs.", "应公示而未公示即予登簿。"),
    "renewal_outside_window": (
        "A renewal was asked for outside the rulebook's window before the end.",
        "续期申请不在规则规定的期满前窗口内。",
    ),
    "hearing_short": (
        "An entry was revoked before its holder was heard or had the rulebook's time to be.",
        "未听取权利人意见或未满规定期限即撤销登记。",
    ),
    "rulebook_bounds_differ": (
        "A rulebook was adopted with other bounds than follow from it.",
        "采用规则时所载期限下限并非由该规则得出。",
    ),
    "deposit_disputed": ("An entry was made while an objection to it was open.", "异议尚未处理完毕即予登簿。"),
    "own_matter": (
        "A registrar decided about what is its own under another account: a case, a mark, a title, a share, or a "
        "participant.",
        "登记机构就其以其他账户参与的案件、标注、权利、份额或主体作出决定。",
    ),
    "share_to_registrar": (
        "A share was given unasked to an account of a registrar's, which by that cannot decide about the asset.",
        "未经其同意将份额给予登记机构的另一账户，使其不得就该资产作出决定。",
    ),
    "certificate_code_differs": (
        "A certificate's code is not of its registrar's institution or its deposit's month.",
        "凭证编码与登记机构或登簿月份不符。",
    ),
    "certificate_code_sequence": (
        "A certificate's number is none that its month's deposits had.",
        "凭证序号超出当月登簿所用范围。",
    ),
    # 6
    "row_missing": ("A row that an event gives is missing.", "应有的数据行缺失。"),
    "row_extra": ("A row stands on no event.", "数据行没有对应事件。"),
    "row_twice": ("A row stands twice.", "数据行重复。"),
    "row_field": ("A row's field is not what its event gives.", "数据行字段与其事件不符。"),
    # 7
    "money_total": ("Balances do not sum to what was issued and not paid out.", "余额之和与发行减兑付总额不符。"),
    "money_negative": ("An account holds less than nothing.", "账户余额为负。"),
    "money_escrow": ("The escrow does not hold what open orders paid in.", "托管余额与未结订单不符。"),
    "money_locked": ("The token does not hold what open redemptions have locked.", "锁定余额与未结赎回不符。"),
    "money_batch": ("A clearing batch does not pay out what came into it.", "清算批次的收付不符。"),
    "money_order": ("An order's fee, shares and refund do not sum to its escrow.", "订单分配之和与托管额不符。"),
    "clearing_payouts": (
        "A batch was confirmed with other payouts than its positions give.",
        "清算批次确认的支付与头寸不符。",
    ),
    # 8
    "checkpoint_signature": ("A checkpoint is not signed by the log's key.", "检查点签名无效。"),
    "checkpoint_fields": ("A checkpoint's line says other than its note.", "检查点行与其签名内容不符。"),
    "checkpoint_latest": ("The latest checkpoint is not the largest.", "最新检查点不是最大的。"),
    "checkpoint_missing": ("A checkpoint that was given out is not listed.", "已发布的检查点未列出。"),
    "log_root": ("The leaves do not hash to a root that was signed or anchored.", "日志条目与已签名或锚定的根不符。"),
    "log_shorter": ("The log has fewer leaves than was signed or anchored.", "日志条目少于已签名或锚定的数量。"),
    "leaf_malformed": ("A leaf lacks its type or time.", "日志条目缺少类型或时间。"),
    "leaf_time": ("A leaf is older than the one before.", "日志条目时间倒退。"),
    "leaf_unsigned": ("Leaves stand after the last signed checkpoint.", "有条目位于最后的检查点之后。"),
    "leaf_unknown": ("A leaf has a type or members that no step checks.", "日志条目的类型或成员无法核查。"),
    # 9
    "document_missing": ("A document that is named is not in the bundle.", "被引用的文档缺失。"),
    "document_malformed": ("A document has not the shape of its type.", "文档格式不符。"),
    "document_digest": ("A document does not hash to its name.", "文档的摘要与名称不符。"),
    "document_kind": ("A document is of another kind than named.", "文档类型与引用不符。"),
    "blob_missing": ("A sealed blob that a manifest names is missing.", "清单所列密文缺失。"),
    "blob_digest": ("A sealed blob does not hash to its name.", "密文的摘要与名称不符。"),
    "blob_size": ("A sealed blob has another size than its manifest says.", "密文大小与清单不符。"),
    "certificate_invalid": ("A certificate does not verify.", "登记凭证验证失败。"),
    "certificate_differs": ("A certificate does not say what the ledger says.", "登记凭证与账本不符。"),
    "certificate_before_deposit": (
        "A certificate is valid from before the deposit, at which the registration took effect.",
        "登记凭证的生效时间早于登记生效的存证时间。",
    ),
    "status_list_invalid": ("A status list is not signed by the log's key.", "状态列表并非由日志密钥签署。"),
    "status_list_differs": ("A status list does not say what the ledger says.", "状态列表与账本不符。"),
    "status_place_reused": ("Two certificates share a place in the status lists.", "两份凭证共用状态列表的同一位置。"),
    "delivery_mode_forbidden": (
        "Data is on offer in a way that its level or its origin forbids.",
        "数据以其级别或来源所禁止的方式挂牌交付。",
    ),
    "delivery_not_offered": (
        "Delivery is offered under terms that name none.",
        "条款未载明交付方式而提出交付条件。",
    ),
    "delivery_price": ("Acceptance makes another sum due than the terms ask.", "验收应付金额与条款价格不符。"),
    "delivery_differs": ("A list of defects is about another delivery.", "瑕疵清单所指并非该次交付。"),
    "agreement_form": ("An agreement does not fit its model form.", "协议不符合其示范文本。"),
    "agreement_differs": ("An agreement does not say what the ledger says.", "协议与账本不符。"),
    "order_outside_agreement": (
        "An order is for other data, another purpose or another place than the agreement that it cites.",
        "订单的数据、用途或地域超出其所引协议。",
    ),
    "form_differs": ("A form does not say what the ledger says of its case.", "登记申请表与账本所载案件不符。"),
    "form_unfit": (
        "A form is not filled in as its rulebook asks.",
        "登记申请表未按其规则填写。",
    ),
    "case_paper_unfit": (
        "A step of a case has no paper where one is asked for, or one that is not of this step or says less than its "
        "rulebook asks.",
        "案件步骤缺少应有的材料，或材料不属于该步骤、未载明规则所要求的内容。",
    ),
    "listing_differs": (
        "A listing's terms do not say what the ledger says of it.",
        "挂牌条款与账本所载挂牌不符。",
    ),
    "plan_unfit": (
        "A listing's price plan does not fit its rulebook, its data or what it sells.",
        "挂牌的价格方案不符合其规则集、数据来源或交付内容。",
    ),
    "order_not_permitted": (
        "An order is for a purpose or a place that its listing's terms do not permit.",
        "订单的用途或地域不为挂牌条款所允许。",
    ),
    "escrow_too_small": (
        "An order put less into escrow than the smallest use costs under its agreement.",
        "订单托管金额低于协议约定的最小用量价格。",
    ),
    "revenue_cap": (
        "An order could bring the operator of public data more than it may earn from it.",
        "订单可使公共数据运营方的收入超过最高准许收入。",
    ),
    "cohort_below_manifest": (
        "A listing's terms allow smaller cohorts than its data's manifest.",
        "挂牌条款的最小群体低于数据清单规定。",
    ),
    "budget_not_needed": (
        "An order of calls or of a file sets privacy budget aside that it cannot use.",
        "接口调用或文件订单预留了其无法使用的隐私预算。",
    ),
    "trial_used": ("A buyer took a free trial that it had taken before.", "同一买方重复使用免费试用。"),
    "term_beyond_period": (
        "An order of questions runs longer than the period that it pays.",
        "查询订单期限超过其所付费的一个周期。",
    ),
    "manifest_differs": (
        "A manifest does not say what was registered.",
        "数据清单与所登记的内容不符。",
    ),
    "claim_differs": ("A claim does not say what the ledger says.", "权利主张与账本不符。"),
    "claim_beyond_source": (
        "A claim names rights that the source of its data cannot give.",
        "权利主张超出其数据来源所能给予的权利。",
    ),
    "titles_beyond_claim": (
        "The first titles of an asset are not those that its claim names.",
        "资产的首次权利与其权利主张不符。",
    ),
    "previous_unregistered": (
        "A version names no version that its holder registered before.",
        "所称前一版本未由该持有方先行登记。",
    ),
    "lineage_missing": (
        "A confirmed product does not say what it was made of.",
        "已确权的产品未申报其来源。",
    ),
    "identity_differs": (
        "An identity profile names another account, or other roles, than it was admitted with.",
        "身份资料所载账户或角色与准入时不符。",
    ),
    "membership_unsigned": (
        "A participant was admitted whose application does not sign the participant agreement.",
        "获准入场的参与方其申请未签署入场协议。",
    ),
    "lineage_differs": (
        "The declared inputs do not fit the source that the claim names.",
        "申报的来源与权利主张所载的数据来源不符。",
    ),
    "version_not_next": ("A version does not follow from the one before it.", "版本与其前一版本不衔接。"),
    "block_reused": ("Two batches of one series share a block.", "同一系列的两个批次共用一个区块号。"),
    # 10
    "order_unknown": ("A query is on an order that the ledger never funded.", "查询所属订单在账本上不存在。"),
    "papers_mismatch": ("An order's papers do not name each other.", "订单文件之间不一致。"),
    "reference": ("A document is about something else than its leaf says.", "文档与日志条目所指不符。"),
    "query_not_accepted": ("A query ended that was never accepted.", "未受理的查询却有结果。"),
    "query_ended_twice": ("A query ended twice.", "同一查询有两个结果。"),
    "query_not_permitted": ("A query was accepted that its order's terms refuse.", "受理了条款不允许的查询。"),
    "query_unanswerable": ("A query has no meaning on its data set.", "查询在其数据集上无意义。"),
    "plan_differs": ("A plan is not what the query means.", "计算计划与查询不符。"),
    "voucher_signature": ("A voucher is not signed by the order's buyer.", "付款凭证并非由买方签署。"),
    "voucher_calls": ("A voucher is not bound to the calls so far.", "付款凭证与调用记录不符。"),
    "voucher_amount": ("A voucher's amount is not the price of its calls.", "付款凭证金额与调用价格不符。"),
    "voucher_over_escrow": ("A voucher promises more than the escrow.", "付款凭证超过托管额。"),
    "voucher_backwards": ("A voucher promises less than the one before.", "付款凭证倒退。"),
    "calls_not_offered": ("Calls were made that the listing does not offer.", "发生了挂牌未提供的接口调用。"),
    "call_signature": ("What is said about calls is not signed by its party.", "调用文件并非由所载一方签署。"),
    "call_record_order": ("A call record does not follow the one before.", "调用记录不连续。"),
    "call_record_impossible": ("A call record contradicts its order's terms.", "调用记录与订单条款矛盾。"),
    "call_barred": (
        "A call was answered after its order's end, or while a title under it was seized or over.",
        "订单结束后或所依权利被查封、终止期间仍答复调用。",
    ),
    "call_over_quota": ("More calls were answered than the period's quota.", "已答复调用超过周期配额。"),
    "calls_unpaid": ("More than one call was answered and never paid.", "超过一次的已答复调用未获付款。"),
    "service_differs": ("A service record is not what its calls give.", "服务记录与调用记录不符。"),
    "service_answer_differs": (
        "An answer is to no service record of its order, or a second one.",
        "答复未对应该订单的服务记录，或重复答复。",
    ),
    "attestation_result": ("An attestation is about another result.", "证明针对其他结果。"),
    "attestation_members": ("Too few of the agreed panel signed.", "约定计算节点的签名不足。"),
    "attestation_signature": ("A panel's aggregated signature does not verify.", "计算节点聚合签名无效。"),
    "panel_key": ("A panel key's proof of possession does not verify.", "计算节点密钥的持有证明无效。"),
    "statement_signature": ("A node's statement does not verify.", "计算节点陈述的签名无效。"),
    "divergence_unproven": ("A divergence names no other result.", "分歧记录未指出不同结果。"),
    "equivocation_unproven": ("An equivocation names one result twice.", "矛盾签名记录两次指同一结果。"),
    "equivocation_unnamed": (
        "A node signed two results of one query and the log does not name it.",
        "节点对同一查询签署了两个结果，日志却未指明。",
    ),
    "absence_contradicted": (
        "A node that was heard is called absent or late.",
        "已在期限内作答的节点被称为缺席或迟到。",
    ),
    "deadline_not_over": (
        "A node is called absent or late before the query's deadline.",
        "截止时间未到即称节点缺席或迟到。",
    ),
    "release_signature": ("A release is not signed by its key's holder.", "释放文件并非由相应密钥持有方签署。"),
    "refusal_signature": ("A refusal is not signed by its key's holder.", "拒绝文件并非由相应密钥持有方签署。"),
    "custodian_share": (
        "An answer has a custodian's share where its manifest names none, or has none where it names one.",
        "答复中托管方份额的有无与清单不符。",
    ),
    "shares_differ": ("Released numbers are not the plan's less the suppressed.", "释放的数值与计划不符。"),
    "epsilon_order": ("An order's privacy spending does not add up.", "订单隐私预算累计有误。"),
    "epsilon_cap": ("An order's privacy spending is not covered.", "订单隐私预算超出凭证或上限。"),
    "epsilon_buyer": (
        "What a buyer, or a group of buyers, spent of a data set's budget does not add up.",
        "买方(或买方组)的隐私预算累计有误。",
    ),
    "buyer_cap": (
        "A buyer, or a group of buyers, was answered beyond the terms' cap.",
        "买方(或买方组)的隐私预算超出条款上限。",
    ),
    "epsilon_asset": ("A data set's privacy spending does not add up.", "数据集隐私预算累计有误。"),
    "epsilon_budget": ("A data set's privacy budget is exceeded.", "数据集隐私预算超支。"),
    "epsilon_charge": ("A question was charged wrongly or twice.", "查询的隐私预算计费有误或重复。"),
    "settled_differs": ("An order was settled other than it was billed.", "订单清算与账单不符。"),
    "claim_unchallenged": (
        "A claimed order was settled below its last answer's voucher: it was presented too late, or not at all.",
        "单方主张的订单结算低于最后答复的凭证：该凭证提出过迟，或未提出。",
    ),
    "refund_despite_voucher": (
        "An order was refunded although a voucher pays for its answers: it was not presented, or its key was over.",
        "订单已有付费凭证却被退款：凭证未及时提出，或其密钥已失效。",
    ),
    "claim_unearned": (
        "An order was claimed by a voucher that no answer earned.",
        "订单以并无相应答复的凭证被主张结算。",
    ),
    "asked_after_claim": (
        "A query was accepted long after its order was claimed.",
        "订单已被单方主张结算很久之后，仍受理了查询。",
    ),
    # outside of any step: papers in hand
    "paper_malformed": ("A paper is none that the market makes.", "所持文件不是本市场出具的凭证。"),
    "paper_signature": (
        "A paper is not signed by the exchange, or was changed.",
        "凭证并非由交易机构签署，或已被改动。",
    ),
    "paper_of_unsettled_order": (
        "A paper bills or proves an order that the ledger did not settle.",
        "凭证所载订单在账本上并未结算。",
    ),
    "paper_of_unpaid_order": (
        "A trade voucher proves an order whose clearing batch has not paid.",
        "交易凭证所载订单的清算批次尚未支付。",
    ),
    "paper_underivable": (
        "The evidence lacks what the paper follows from.",
        "证据中缺少推导该凭证所需的内容。",
    ),
    "paper_differs": (
        "A paper is not the one that follows from the ledger; the first difference is named.",
        "凭证与账本所得不符；所指为首处差异。",
    ),
    # 11
    "reexecution_failed": ("A released answer cannot be computed again.", "已释放结果无法重算。"),
    "attested_false": (
        "The attested result is not what the ciphertexts give; a node that differed may be right.",
        "经证明的结果与密文不符；持不同结果的节点可能是对的。",
    ),
    "result_differs": ("The ciphertexts give another number than the panel signed.", "重算结果与计算节点签署的不符。"),
}

COUNTED: dict[str, str] = {
    "headers": "区块头",
    "transactions": "交易",
    "receipts": "回执",
    "contracts": "合约",
    "events": "事件",
    "calls": "调用",
    "case acts": "案件行为",
    "refused calls": "被拒调用",
    "signatures": "签名",
    "rows": "数据行",
    "accounts": "账户",
    "orders closed": "已结订单",
    "batches confirmed": "已确认清算批次",
    "checkpoints": "检查点",
    "anchors": "锚定",
    "leaves": "日志条目",
    "documents": "文档",
    "registered": "资产登记",
    "participant agreements": "入场协议",
    "forms": "登记申请表",
    "case papers": "案件材料",
    "listings": "挂牌",
    "fundings": "订单托管",
    "agreements": "协议",
    "deliveries": "交付",
    "orders under agreements": "依协议下达的订单",
    "certificates": "凭证",
    "claims by source": "按来源核对的主张",
    "status lists": "状态列表",
    "versions": "版本",
    "blobs": "密文",
    "accepted": "受理",
    "released": "释放",
    "custodian releases": "托管方释放",
    "withheld": "托管方拒绝",
    "refused": "拒绝",
    "failed": "失败",
    "divergences": "分歧",
    "equivocations": "矛盾签名",
    "late statements": "迟到陈述",
    "absences": "缺席",
    "contested queries": "有争议的查询",
    "vouchers": "付款凭证",
    "call records": "调用记录",
    "calls metered": "计量调用",
    "calls paid": "已付调用",
    "service records": "服务记录",
    "attestations": "证明",
    "releases": "释放文件",
    "settlements": "清算",
    "queries": "查询",
    "numbers": "数值",
}
