"""Revenue shares: transferred, pledged, seized. A pledge goes to the pledgee as a file, for `rights accept`."""

from typing import Annotated

import typer

from marketplace.console import Run, command
from marketplace.console.values import Reason, parse_address
from marketplace.rights.commands.group import Asset, Lifted, Output, To, app, lifted
from marketplace.rights.commands.offering import hand_over
from marketplace.sdk import shares
from marketplace.sdk.opening import open_client
from marketplace.types import TitleMark

Bps = Annotated[int, typer.Option(min=1, max=10_000, help="basis points 基点")]
Holder = Annotated[str, typer.Option(metavar="ADDRESS", parser=parse_address, help="whose share it is 份额持有人")]


@command(app)
def transfer_share(run: Run, asset: Asset, to: To, bps: Bps) -> None:
    """Give away part of your revenue share; payouts follow the holders at settlement time. 转让收益份额

    Example: marketplace rights transfer-share 0x5f…5f --to 0x7099…79c8 --bps 500
    """
    with open_client(run) as client:
        result = shares.transfer(client, asset, to, bps)
    run.result(result, f"{bps} basis points moved to {to}", f"已转让 {bps} 基点给 {to}")


@command(app)
def pledge_share(run: Run, asset: Asset, to: To, bps: Bps, debt: Reason, output: Output) -> None:  # noqa: PLR0917
    """Pledge part of your revenue share; it is pledged when they accept, and you go on being paid. 质押收益份额

    Example: marketplace rights pledge-share 0x5f…5f --to 0x7099…79c8 --bps 500 --debt "loan 2026-17" --output p.json
    """
    with open_client(run) as client:
        hand_over(run, client, shares.offer_pledge(client, asset, to, bps, debt), output)


@command(app)
def release_share(run: Run, asset: Asset, holder: Holder) -> None:
    """Release a pledge of a revenue share, as the pledgee. 解除收益份额质押

    Example: marketplace rights release-share 0x5f…5f --holder 0x7099…79c8
    """
    with open_client(run) as client:
        result = shares.release(client, asset, holder)
    run.result(result, "released", "已解除质押")


@command(app)
def enforce_share(run: Run, asset: Asset, holder: Holder, ruling: Reason) -> None:
    """Give the pledged part of a revenue share to its pledgee on a ruling, as a registrar. 实现收益份额质权

    Example: marketplace rights enforce-share 0x5f…5f --holder 0x7099…79c8 --ruling "award 2026-3"
    """
    with open_client(run) as client:
        result = shares.enforce(client, asset, holder, ruling)
    run.result(result, "the pledgee is paid for it now", "该部分收益份额已归质权人")


@command(app)
def seize_share(run: Run, asset: Asset, holder: Holder, order: Reason) -> None:
    """Mark a revenue share as seized on a court's order, as a registrar. 查封收益份额

    Example: marketplace rights seize-share 0x5f…5f --holder 0x7099…79c8 --order "court order 2026-12"
    """
    _encumber(run, asset, holder, TitleMark.SEIZED, order)


@command(app)
def control_share(run: Run, asset: Asset, holder: Holder, order: Reason) -> None:
    """Mark a revenue share as under administrative control, as a registrar. 行政管控收益份额

    Example: marketplace rights control-share 0x5f…5f --holder 0x7099…79c8 --order "decision 2026-5"
    """
    _encumber(run, asset, holder, TitleMark.CONTROLLED, order)


@command(app)
def lift_share(run: Run, asset: Asset, holder: Holder, order: Reason, mark: Lifted = None) -> None:
    """Lift the seizure or the control of a revenue share, as a registrar; the other stays. 解除收益份额限制

    Example: marketplace rights lift-share 0x5f…5f --holder 0x7099…79c8 --order "court order 2026-40"
    """
    with open_client(run) as client:
        result = shares.lift(client, asset, holder, lifted(mark), order)
    run.result(result, "lifted", "已解除该项限制")


def _encumber(run: Run, asset: str, holder: str, mark: TitleMark, order: str) -> None:
    with open_client(run) as client:
        result = shares.encumber(client, asset, holder, mark, order)
    run.result(
        result,
        "no transfer, no pledge, no enforcement; it goes on paying",
        "不得转让、质押、实现质权；照常分配收益",
    )
