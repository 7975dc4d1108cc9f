"""Authlib as a relying party: signs in, refreshes, introspects, revokes, signs out.

Settings come as JSON on standard input; the last line of standard output is `done`. Any surprise ends the process with
an error.
"""

import os
from urllib.parse import parse_qs, urlencode, urlsplit

os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"

from authlib.common.security import generate_token
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from joserfc import jwt
from joserfc.jwk import KeySet

from browser import browse, browser, settings

issuer = settings["issuer"]
server = browser.get(f"{issuer}/.well-known/openid-configuration").json()
keys = KeySet.import_key_set(browser.get(server["jwks_uri"]).json())


def party():
    session = OAuth2Session(
        settings["client_id"],
        settings["client_secret"],
        scope="openid email roles",
        redirect_uri=settings["redirect_uri"],
        code_challenge_method="S256",
        token_endpoint_auth_method="client_secret_basic",
        revocation_endpoint_auth_method="client_secret_basic",
    )
    session.trust_env = False
    return session


def read(token, nonce=None):
    """The claims of an ID token, verified."""
    claims = jwt.decode(token, keys, algorithms=server["id_token_signing_alg_values_supported"]).claims
    rules = {"iss": {"essential": True, "value": issuer}, "aud": {"essential": True, "value": settings["client_id"]}}
    if nonce:
        rules["nonce"] = {"essential": True, "value": nonce}
    jwt.JWTClaimsRegistry(**rules).validate(claims)
    return claims


client = party()
verifier, nonce = generate_token(64), generate_token(16)
url, state = client.create_authorization_url(server["authorization_endpoint"], code_verifier=verifier, nonce=nonce)
back = browse(url)
assert parse_qs(urlsplit(back).query)["iss"] == [issuer]
tokens = client.fetch_token(server["token_endpoint"], authorization_response=back, code_verifier=verifier, state=state)
claims = read(tokens["id_token"], nonce)
assert claims["roles"] == ["employee", "it-admin"], claims
about = client.get(server["userinfo_endpoint"]).json()
assert about["sub"] == claims["sub"], about

first = tokens["refresh_token"]
refreshed = client.refresh_token(server["token_endpoint"], refresh_token=first)
assert refreshed["refresh_token"] != first
again = read(refreshed["id_token"])
assert (again["sub"], again["auth_time"]) == (claims["sub"], claims["auth_time"])

live = client.introspect_token(server["introspection_endpoint"], token=refreshed["access_token"]).json()
assert live["active"] and live["sub"] == claims["sub"], live
client.revoke_token(server["revocation_endpoint"], token=refreshed["access_token"]).raise_for_status()
dead = client.introspect_token(server["introspection_endpoint"], token=refreshed["access_token"]).json()
assert dead == {"active": False}, dead
client.revoke_token(server["revocation_endpoint"], token=refreshed["refresh_token"]).raise_for_status()
try:
    client.refresh_token(server["token_endpoint"], refresh_token=refreshed["refresh_token"])
    raise AssertionError("a revoked refresh token was accepted")
except OAuthError as error:
    assert error.error == "invalid_grant", error

bye = {
    "id_token_hint": tokens["id_token"],
    "post_logout_redirect_uri": settings["post_logout_redirect_uri"],
    "state": "bye",
}
gone = browser.get(f"{server['end_session_endpoint']}?{urlencode(bye)}", allow_redirects=False)
assert gone.headers["location"] == f"{settings['post_logout_redirect_uri']}?state=bye", gone.text
verifier = generate_token(64)
url, _ = party().create_authorization_url(server["authorization_endpoint"], code_verifier=verifier, prompt="none")
assert parse_qs(urlsplit(browse(url)).query)["error"] == ["login_required"]

print("done")
