"""`marketplace ledger`: the ledger as a participant sees it, and what the operator derives from it."""

from dataclasses import asdict
from typing import Annotated

import typer

from marketplace.console import Run, command, group
from marketplace.evidence.projections import PROJECTORS
from marketplace.ledger import rebuild as read_model
from marketplace.sdk.opening import open_client
from marketplace.settings import load_settings
from marketplace.storage.engine import make_engine

app = group("The ledger: its state, and the read model that is derived from it. 账本")


@command(app)
def status(run: Run) -> None:
    """Chain, contracts and readiness of the service. 账本状态

    Example: marketplace ledger status
    """
    with open_client(run, with_keys=False) as client:
        readiness = client.get("/readyz", signed=False)
        found = {**client.profile.facts, "ready": readiness["status"], "hindrances": readiness["hindrances"]}
    run.result(found, "the service serves", "服务正常")
    for hindrance in found["hindrances"]:
        run.say(hindrance, f"有事项未能办理：{hindrance}")
    run.facts(found["contracts"])
    run.facts(found["log"])


@command(app)
def intent(run: Run, digest: Annotated[str, typer.Argument(help="digest of a signed intent 意向摘要")]) -> None:
    """What became of a signed intent: queued, mined or refused. 意向状态

    Example: marketplace ledger intent 0x5f…5f
    """
    with open_client(run, with_keys=False) as client:
        found = client.get(f"/intents/{digest}", signed=False)
    run.result(found, str(found["status"]))


@command(app)
def rebuild(
    run: Run, check: Annotated[bool, typer.Option("--check", help="change nothing; prove it equal 仅校验")] = False
) -> None:
    """Drop the read model and make it again from the ledger's events; with --check, prove it equal. 重建读模型

    For the operator: it opens the service's own database (MARKETPLACE_ settings).

    Example: marketplace ledger rebuild --check
    """
    engine = make_engine(load_settings().database)
    try:
        if check:
            report = asdict(read_model.check(engine, PROJECTORS))
            run.result(report, "the read model is what the ledger says", "读模型与账本一致")
            return
        events = read_model.rebuild(engine, PROJECTORS)
    finally:
        engine.dispose()
    run.result({"events": events}, f"rebuilt from {events} events", f"已由 {events} 个事件重建")
