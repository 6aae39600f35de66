"""The relying party's side of OpenID Connect: who somebody is to another provider. Knows no participants.

fetching.py  bounded requests to the provider
tokens.py    what an ID token has to be
provider.py  discovery, keys, the code for a subject

Sources: OpenID Connect Core 1.0 (3.1, 3.1.3.7), Discovery 1.0; RFC 7636 (PKCE), RFC 8252 (loopback redirects), RFC 8725
(JWT best practice), RFC 9207 (the issuer beside the code), RFC 9700 (OAuth security).
"""

from marketplace.web.openid.provider import Provider

__all__ = ["Provider"]
