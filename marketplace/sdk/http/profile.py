"""What the service says about itself: the part that is pinned, and the rest."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from crypto.canonical import from_hex
from crypto.errors import ParameterError
from marketplace.currencies import currency_at
from marketplace.errors import PortError
from marketplace.intents import CONTRACTS
from marketplace.sdk.home import Pin


@dataclass(frozen=True)
class Profile:
    """A service.

    Args:
        pin: chain, contracts and log key; never to change.
        fee_bps: the exchange's fee in basis points of what is paid out.
        facts: the whole answer.
    """

    pin: Pin
    fee_bps: int
    facts: Mapping[str, Any]


def parse_profile(facts: Any) -> Profile:
    """Read the answer of GET /profile.

    Raises:
        PortError: `profile_malformed`, a part is missing or is not what it should be.
    """
    try:
        contracts = {name: str(facts["contracts"][name]) for name in CONTRACTS}
        contracts |= {name: str(address) for name, address in facts["contracts"].items() if currency_at(name)}
        for name, address in contracts.items():
            from_hex(address, 20, name)
        log_key = str(facts["log"]["key"])
        from_hex(log_key, 32, "log key")
        pin = Pin(int(facts["chainId"]), contracts, str(facts["log"]["origin"]), log_key)
        return Profile(pin, int(facts["feeBps"]), facts)
    except (AttributeError, KeyError, TypeError, ValueError, ParameterError) as error:
        raise PortError(
            "profile_malformed",
            f"the service's profile cannot be read: {error}",
            zh="无法识别服务端配置",
            retryable=False,
        ) from error
