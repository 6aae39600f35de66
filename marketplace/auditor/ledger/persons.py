"""Step 5, who is who: accounts of one person, and what somebody decided, or barred others from deciding, under another.

The contracts compare accounts. Here accounts are one person by an identity profile, a key, or the natural person behind
a key, and every decision of a registrar is held against everybody whose matter it is.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator

from marketplace.auditor.findings import Report
from marketplace.auditor.readmodel.rows import Placed, Row, Tables
from marketplace.documents.ids import title_id
from marketplace.procedures import Kind, Step
from marketplace.rights.title_records import ROOTS
from marketplace.types import ZERO_ADDRESS, ZERO_DIGEST, AssetStatus, Role

# Cancelled and revoked assets are the end of a case, whose acts are looked at one by one.
_BY_MARK = (AssetStatus.CONFIRMED, AssetStatus.SUSPENDED)


class Persons:
    """Looks at each event before it changes the rows.

    Args:
        tables: the rows as the events before have left them.
    """

    def __init__(self, tables: Tables, report: Report) -> None:
        self._rows, self._report = tables.rows, report
        #: account to profiles that a registrar admitted it with, keys, and persons behind keys, of any time
        self._names: defaultdict[str, set[str]] = defaultdict(set)
        #: asset to everybody who ever had a share in it
        self._sharers: defaultdict[str, set[str]] = defaultdict(set)
        #: asset to everybody who ever took or was pledged a title of it, or objected (decision 0059)
        self._takers: defaultdict[str, set[str]] = defaultdict(set)
        #: everybody who ever was a registrar
        self._registrars: set[str] = set()
        #: decisions that are no acts of a case: who decided, about what, and whose matter it is
        self._decisions: dict[str, Callable[[Row], tuple[str, str, set[str]] | None]] = {
            "Admitted": self._of_participant,
            "StatusChanged": self._of_participant,
            "Marked": self._of_mark,
            "ShareEncumbered": self._of_share,
            "ShareEnforced": self._of_share,
            "TitleEncumbered": self._of_title,
            "PledgeEnforced": self._of_title,
            "TitleEnded": self._of_end,
        }

    def see(self, placed: Placed) -> None:
        """Note keys, registrars and shares, and check what one event decides or gives."""
        name, args = placed.event.name, placed.event.args
        self._note(name, args)
        self._note_taker(name, args)
        for account in _given_unasked(name, args):
            self._check_taker(args["assetId"], account)
        decision = self._decisions[name](args) if name in self._decisions else None
        if decision is not None:
            registrar, subject, parties = decision
            for party, common in self.behind(registrar, parties):
                self._report.find("own_matter", subject, expected=f"not {party}", got=f"{registrar}: {common}")

    def of(self, account: str) -> set[str]:
        """Everything that names who is behind an account. What somebody only applied with says nothing: a profile's
        digest can be copied.
        """
        return {account, *self._names.get(account, ())}

    def behind(self, actor: str, parties: set[str]) -> Iterator[tuple[str, str]]:
        """Each of the parties who is the same person as the actor, with what shows it."""
        own = self.of(actor)
        for party in sorted(parties):
            if common := own & self.of(party):
                yield party, min(common)

    def parties_of(self, asset: str) -> set[str]:
        """Whose matter an asset is: registrant, holders of its entry, first titles and shares, pledgees of shares, and
        for good whoever took or was pledged a title, or objected.
        """
        titles = (self._rows["titles"].get((title_id(asset, kind),)) for kind in ROOTS)
        found = {title["holder"] for title in titles if title is not None}
        found |= {self._rows["register_entries"].get((asset,), {}).get("holder", ZERO_ADDRESS)}
        found |= {self._rows["assets"][asset,]["holder"]}
        sharers = self._sharers[asset]
        found |= {holder for holder in sharers if (asset, holder) in self._rows["shares"]}
        pledges = (self._rows["share_encumbrances"].get((asset, holder)) for holder in sharers)
        found |= {pledge["pledgee"] for pledge in pledges if pledge is not None and pledge["bps"]}
        return (found | self._takers[asset]) - {ZERO_ADDRESS}

    def _note(self, name: str, args: Row) -> None:
        if name == "KeyAdded":
            self._names[args["account"]] |= {args["key"], args["personDigest"]} - {ZERO_DIGEST}
        elif name in ("KeyRotated", "Recovered"):
            self._names[args["account"]].add(args["newKey"])
        elif name == "Admitted":
            self._names[args["account"]] |= {args["identityDigest"]} - {ZERO_DIGEST}
            self._registrars |= {args["account"]} if args["roles"] & Role.REGISTRAR else set()
        elif name == "Registered":
            self._sharers[args["assetId"]] |= set(args["shareHolders"])
        elif name in ("ShareTransferred", "ShareEnforced"):
            self._sharers[args["assetId"]].add(args["to"])

    def _note_taker(self, name: str, args: Row) -> None:
        if name == "TitleDerived":
            self._takers[args["assetId"]].add(args["holder"])
        elif name in ("TitleTransferred", "TitlePledged"):
            asset = self._rows["titles"][args["titleId"],]["assetId"]
            self._takers[asset].add(args["to"] if name == "TitleTransferred" else args["pledgee"])
        elif name == "Filed" and args["filing"]["kind"] == Kind.LATE_OBJECTION:
            self._takers[args["filing"]["assetId"]].add(args["filing"]["applicant"])
        elif name == "Acted" and args["step"] == Step.OBJECT:
            self._takers[args["assetId"]].add(args["actor"])

    def _check_taker(self, asset: str, account: str) -> None:
        """A share that its taker did not sign for bars no registrar under another account from deciding."""
        for registrar, common in self.behind(account, self._registrars - {account}):
            got = f"{account}: {common}"
            self._report.find("share_to_registrar", f"asset {asset}", expected=f"not {registrar}", got=got)

    def _of_participant(self, args: Row) -> tuple[str, str, set[str]] | None:
        """The first registrar, whom the deployment names, is admitted by itself; the contract takes no other such."""
        account, decider = args["account"], args.get("decider") or args["registrar"]
        return None if account == decider else (decider, f"participant {account}", {account})

    def _of_mark(self, args: Row) -> tuple[str, str, set[str]] | None:
        asset = args["assetId"]
        return (args["registrar"], f"asset {asset}", self.parties_of(asset)) if args["status"] in _BY_MARK else None

    def _of_share(self, args: Row) -> tuple[str, str, set[str]]:
        return args["registrar"], f"asset {args['assetId']}", self.parties_of(args["assetId"])

    def _of_title(self, args: Row) -> tuple[str, str, set[str]]:
        """A title is its holder's matter, that of whoever holds a title above it, and of its asset's parties."""
        title = self._rows["titles"][args["titleId"],]
        parties, above = self.parties_of(title["assetId"]) | {title["holder"]}, title["parent"]
        while (above,) in self._rows["titles"]:
            parties.add(self._rows["titles"][above,]["holder"])
            above = self._rows["titles"][above,]["parent"]
        return args["registrar"], f"title {args['titleId']}", parties

    def _of_end(self, args: Row) -> tuple[str, str, set[str]] | None:
        """A title that its own holder gave up was decided by nobody else."""
        if args["by"] == self._rows["titles"][args["titleId"],]["holder"]:
            return None
        return self._of_title({**args, "registrar": args["by"]})


def _given_unasked(name: str, args: Row) -> set[str]:
    """Who gets a share by an event that somebody else alone signed for."""
    if name == "Registered":
        return set(args["shareHolders"]) - {args["holder"]}
    return {args["to"]} if name == "ShareTransferred" else set()
