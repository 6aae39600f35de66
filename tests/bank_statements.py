"""Writes banks' statements as camt.053, in the oldest and the newest version that is read."""

from collections.abc import Sequence
from xml.sax.saxutils import escape

from marketplace.quantities import money
from marketplace.settlement.statements.entries import Entry


def camt(
    entries: Sequence[Entry], *, version: int = 8, opening: int = 100_000, closing: int | None = None, **more: object
) -> bytes:
    """One message with one statement; its closing balance follows from its entries unless another is given.

    Args:
        more: name, number (the statement's sequence), last (its last day), currency (CNY).
    """
    end = opening + sum(entry.signed for entry in entries) if closing is None else closing
    last, currency = more.get("last", "2026-11-30"), str(more.get("currency", "CNY"))
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.0{version}"><BkToCstmrStmt>
<GrpHdr><MsgId>M</MsgId><CreDtTm>{last}T23:00:00+08:00</CreDtTm></GrpHdr>
<Stmt><Id>{more.get("name", "S-1")}</Id><ElctrncSeqNb>{more.get("number", 1)}</ElctrncSeqNb>
<Acct><Id><Othr><Id>1001000012345678901</Id></Othr></Id><Ccy>{currency}</Ccy></Acct>
{_balance("OPBD", opening, "2026-11-01", currency)}{_balance("CLBD", end, str(last), currency)}
{"".join(_entry(entry, version, currency) for entry in entries)}
</Stmt></BkToCstmrStmt></Document>""".encode()


def _balance(code: str, units: int, day: str, currency: str) -> str:
    return (
        f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp>{_amount(abs(units), currency)}"
        f"<CdtDbtInd>{'CRDT' if units >= 0 else 'DBIT'}</CdtDbtInd><Dt><Dt>{day}</Dt></Dt></Bal>"
    )


def _amount(units: int, currency: str) -> str:
    return f'<Amt Ccy="{currency}">{money(units, currency).replace(",", "")}</Amt>'


def _entry(entry: Entry, version: int, currency: str) -> str:
    status = "<Sts><Cd>BOOK</Cd></Sts>" if version >= 8 else "<Sts>BOOK</Sts>"
    side = "Dbtr" if entry.is_credit else "Cdtr"
    account = f"<RltdPties><{side}Acct><Id><Othr><Id>{entry.counterparty}</Id></Othr></Id></{side}Acct></RltdPties>"
    return (
        f"<Ntry>{_amount(entry.amount, currency)}<CdtDbtInd>{'CRDT' if entry.is_credit else 'DBIT'}</CdtDbtInd>{status}"
        f"<BookgDt><Dt>{entry.value_date}</Dt></BookgDt><ValDt><Dt>{entry.value_date}</Dt></ValDt>"
        f"<AcctSvcrRef>{escape(entry.reference)}</AcctSvcrRef><NtryDtls><TxDtls>"
        f"{account if entry.counterparty else ''}<RmtInf><Ustrd>{escape(entry.text)}</Ustrd></RmtInf>"
        "</TxDtls></NtryDtls></Ntry>"
    )
