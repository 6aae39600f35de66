"""Who is asking: the bearer of a sign-in token. What they may do is each stage's question, asked of the read model.

A session reads. What changes something and carries no signature of its own says by `acting` which act the session's key
must be permitted, so that a person changes no more for an account off the ledger than on it.
"""

from collections.abc import Callable
from typing import Annotated

from fastapi import Depends
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from marketplace.errors import NotAuthorizedError
from marketplace.refusals import refuse
from marketplace.storage.sessions import holder_of
from marketplace.types import Act, Address
from marketplace.web.context import Here

bearer = HTTPBearer(scheme_name="session", description="token of POST /session (EIP-4361 sign-in)", auto_error=False)
Credentials = Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]


class NotSignedInError(NotAuthorizedError):
    """Nobody has signed in, or the session is over."""


def maybe_account(here: Here, credentials: Credentials) -> Address | None:
    """The address that signed in; None where no token came.

    Raises:
        NotSignedInError: `session_over`: a token came that is not, or no longer, good.
    """
    if credentials is None:
        return None
    with here.reading() as session:
        now = here.clock()
        holder = holder_of(session, credentials.credentials, now)
        # A key that ended, or reads for another account now, takes its sessions with it.
        is_good = holder is not None and here.account_for(session, holder[1], now, Act.READ) == holder[0]
    if holder is None or not is_good:
        raise _over()
    return Address(holder[0])


def _over() -> NotSignedInError:
    return NotSignedInError(
        "session_over",
        "this session is over or was never opened",
        zh="会话已失效",
        hint="sign in again: POST /session/nonce, then POST /session",
        hint_zh="请重新登录",
        rule="access.signed_in",
    )


MaybeAccount = Annotated[Address | None, Depends(maybe_account)]


async def signed_in(account: MaybeAccount) -> Address:
    """The address that signed in.

    Raises:
        NotSignedInError: `not_signed_in`.
    """
    if account is None:
        raise NotSignedInError(
            "not_signed_in",
            "this needs a sign-in",
            zh="需要先登录",
            hint="sign in with your key: POST /session/nonce, then POST /session",
            hint_zh="请先用您的密钥登录",
            rule="access.signed_in",
        )
    return account


Account = Annotated[Address, Depends(signed_in)]


def acting(*acts: Act) -> Callable[..., Address]:
    """A dependency: the address that signed in, with a key that may do one of `acts` for it.

    Raises, when it is asked:
        NotSignedInError: `not_signed_in`, `session_over`.
        RuleError: `act_not_permitted`.
    """

    def permitted(here: Here, account: Account, credentials: Credentials) -> Address:
        assert credentials is not None
        with here.reading() as session:
            now = here.clock()
            holder = holder_of(session, credentials.credentials, now)
            if holder is None:  # it ended since `maybe_account` looked; what its key might do, nobody knows any more
                raise _over()
            key = holder[1]
            if all(here.account_for(session, key, now, act) != account for act in acts):
                raise refuse("IntentBatchActNotPermitted", account=account, key=key, act=int(acts[0]))
        return account

    return permitted


def session_key(here: Here, account: Account, credentials: Credentials) -> str:
    """What opened the session: the address of a key, or the name of a linked identity.

    Raises, when it is asked:
        NotSignedInError: `not_signed_in`, `session_over`.
    """
    assert credentials is not None
    with here.reading() as session:
        holder = holder_of(session, credentials.credentials, here.clock())
    if holder is None or holder[0] != account:
        raise _over()
    return holder[1]


SessionKey = Annotated[str, Depends(session_key)]
Administrator = Annotated[Address, Depends(acting(Act.ADMINISTER))]
Negotiator = Annotated[Address, Depends(acting(Act.AGREEMENTS))]
Officer = Annotated[Address, Depends(acting(Act.REGISTRY))]
Clearer = Annotated[Address, Depends(acting(Act.CLEARING))]
Agent = Annotated[Address, Depends(acting(Act.QUERIES))]
"""A panel node, vault or custodian at its desk."""
Uploader = Annotated[Address, Depends(acting(Act.TITLES, Act.LISTINGS, Act.REGISTRY, Act.EVIDENCE))]
"""Whoever registers, lists, decides or anchors uploads what that names."""
