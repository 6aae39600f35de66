"""`scripts/demo`: the order of the house, from a CSV file to the auditor's verdict."""

import argparse
import shutil
import tempfile
from pathlib import Path

from scripts.demonstration import acts, flights, tampering
from scripts.demonstration.cast import Cast, gather
from scripts.demonstration.narration import Narrator

GOOD = "VERDICT: the evidence holds, and every falsification was found. 结论：证据成立，篡改均被发现"
BAD = "VERDICT: something is wrong. 结论：存在问题"


def main() -> int:
    """Play all acts; 0 when the auditor found the truth true and every falsehood false."""
    parser = argparse.ArgumentParser(description="One order travels the whole way, on real data.")
    parser.add_argument("--keep", type=Path, help="keep the parties' folders here")
    chosen = parser.parse_args().keep
    stage = chosen or Path(tempfile.mkdtemp(prefix="marketplace-demo-"))
    stage.mkdir(parents=True, exist_ok=True)
    say = Narrator()
    cast = gather(stage)
    try:
        good = _play(say, cast, stage)
    finally:
        cast.stop()
        if chosen is None:
            shutil.rmtree(stage, ignore_errors=True)
    return 0 if good else 1


def _play(say: Narrator, cast: Cast, stage: Path) -> bool:
    csv = flights.write_csv(stage / "supplier")
    trust = acts.open_market(say, cast)
    acts.start_panel(say, cast)
    asset = acts.register(say, cast, acts.seal(say, cast, csv))
    full, counting = acts.list_products(say, cast, asset)
    order = acts.order(say, cast, full)
    acts.ask(say, cast, order, full, csv)
    acts.refuse(say, cast, order, full, counting)
    acts.settle(say, cast, order)
    bundle, verdict = acts.audit(say, cast, trust)
    found = tampering.falsify_everything(say, cast, bundle, trust)
    good = bool(verdict and found)
    say.verdict(good, GOOD if good else BAD)
    return good


if __name__ == "__main__":
    raise SystemExit(main())
