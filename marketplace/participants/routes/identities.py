"""Signing in with an OpenID Connect provider over HTTP, and linking identities to accounts."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from pydantic import ConfigDict, Field
from sqlmodel import select

from marketplace.participants.service import identities, openid
from marketplace.participants.tables import IdentityLink
from marketplace.web.context import Here
from marketplace.web.paging import AskedPage, Rows, link_next, page_of
from marketplace.web.principal import Account, Administrator, SessionKey
from marketplace.web.shapes import Count, DigestText, Shape, SignatureText, UInt32
from marketplace.web.signin import SignInBody, verified

router = APIRouter(prefix="/session/oidc", tags=["session"])
Secret = Annotated[str, Field(pattern="^[A-Za-z0-9_-]{43,128}$", examples=["A" * 43])]


class BeginBody(Shape):
    """Where the browser comes back to, and PKCE's challenge (S256) of a fresh verifier that stays with the caller."""

    redirect_uri: str = Field(max_length=2000)
    code_challenge: str = Field(pattern="^[A-Za-z0-9_-]{43}$", examples=["A" * 43])


class Begun(Shape):
    """`url` is for the person's browser; the browser comes back with `state` and a code."""

    model_config = ConfigDict(validate_by_name=True)

    url: str
    state: str
    issuer: str
    expires_at: str


class EndBody(Shape):
    """What the browser came back with, and the verifier."""

    state: Secret
    code: str = Field(min_length=1, max_length=4096)
    code_verifier: Secret
    iss: str | None = Field(default=None, max_length=255)

    def ending(self) -> openid.Ending:
        """For the service."""
        return openid.Ending(self.state, self.code, self.code_verifier, self.iss)


class Identity(Shape):
    """An identity as it is kept: who it is, is not in it."""

    identity: DigestText
    issuer: str


class LinkBody(Shape):
    """An EIP-4361 text whose statement is `participants.identities.link_statement` of the other fields, its signature,
    and state and verifier of the sign-in that showed the identity."""

    state: Secret
    code_verifier: Secret
    identity: DigestText
    acts: UInt32
    valid_until: Count
    message: str
    signature: SignatureText


@router.post("/begin")
def begin_oidc_sign_in(here: Here, body: BeginBody) -> Begun:
    """Begin a sign-in with the operator's OpenID Connect provider: authorization code with PKCE."""
    return Begun(**openid.begin(here, body.redirect_uri, body.code_challenge))


@router.post("")
def sign_in_with_oidc(here: Here, body: EndBody) -> dict[str, str]:
    """End a sign-in with a session of the account that linked the person. It reads, and changes without a further
    signature what the link permits; it signs nothing."""
    return identities.sign_in(here, body.ending())


@router.post("/identity")
def prove_oidc_identity(here: Here, body: EndBody) -> Identity:
    """End a sign-in with the name of the identity, for a link."""
    provider = openid.provider_of(here)
    return Identity(identity=identities.prove_for_link(here, body.ending()), issuer=provider.issuer)


@router.post("/links", status_code=201)
def link_identity(here: Here, body: LinkBody) -> dict[str, Any]:
    """Link an identity to the account of the key that signs."""
    signed = verified(here, SignInBody(message=body.message, signature=body.signature))
    openid.provider_of(here)
    wish = identities.Wish(body.identity, body.acts, body.valid_until, body.message, body.signature)
    return dict(identities.link_json(identities.link(here, signed, wish, body.state, body.code_verifier)))


@router.get("/links")
def list_identities(here: Here, account: Account, page: AskedPage, request: Request, response: Response) -> Rows:
    """The identities that the account has linked."""
    mine = select(IdentityLink).where(IdentityLink.account == account)
    with here.reading() as session:
        rows = page_of(session, mine, IdentityLink.identity, page, lambda row: dict(identities.link_json(row)))
    return link_next(request, response, rows)


@router.delete("/link")
def unlink_myself(here: Here, account: Account, key: SessionKey) -> dict[str, Any]:
    """End the link that this session came from, with all its sessions and endpoints."""
    with here.writing() as session:
        identities.unlink(session, account, key, here.clock())
    return {"identity": key}


@router.delete("/links/{identity}")
def unlink_identity(here: Here, account: Administrator, identity: Annotated[DigestText, Path()]) -> dict[str, Any]:
    """End a link, with every session that it opened and every endpoint that it registered."""
    with here.writing() as session:
        identities.unlink(session, account, identity, here.clock())
    return {"identity": identity}
