"""idpyoidc as a relying party: discovery, sign-in with PKCE, ID token, userinfo, refresh, sign-out.

Settings come as JSON on standard input; the last line of standard output is `done`. Any surprise ends the process with
an error.
"""

from urllib.parse import parse_qsl, urlsplit

from idpyoidc.client.rp_handler import RPHandler

from browser import browse, browser, settings

issuer = settings["issuer"]
services = {
    name: {"class": f"idpyoidc.client.oidc.{path}"}
    for name, path in {
        "discovery": "provider_info_discovery.ProviderInfoDiscovery",
        "authorization": "authorization.Authorization",
        "access_token": "access_token.AccessToken",
        "refresh_access_token": "refresh_access_token.RefreshAccessToken",
        "userinfo": "userinfo.UserInfo",
        "end_session": "end_session.EndSession",
    }.items()
}
handler = RPHandler(
    base_url=settings["redirect_uri"].rsplit("/", 1)[0],
    services=services,
    client_configs={
        issuer: {
            "issuer": issuer,
            "client_id": settings["client_id"],
            "client_secret": settings["client_secret"],
            "client_type": "oidc",
            "redirect_uris": [settings["redirect_uri"]],
            "post_logout_redirect_uris": [settings["post_logout_redirect_uri"]],
            "response_types": ["code"],
            "token_endpoint_auth_method": "client_secret_basic",
            "client_authn_methods": ["client_secret_basic", "bearer_header"],
            "id_token_signed_response_alg": "ES256",
            "services": services,
            "add_ons": {
                "pkce": {
                    "function": "idpyoidc.client.oauth2.add_on.pkce.add_support",
                    "kwargs": {"code_challenge_length": 64, "code_challenge_method": "S256"},
                }
            },
        }
    },
    # Keys of its own, kept in no file.
    key_conf={"key_defs": [{"type": "EC", "crv": "P-256", "use": ["sig"]}]},
    httpc=browser.request,
)
scope = {"scope": ["openid", "profile", "email"]}
url = handler.begin(issuer, req_args=scope)
back = browse(url)
answer = dict(parse_qsl(urlsplit(back).query))
assert answer["iss"] == issuer, answer
done = handler.finalize(issuer, answer)
assert "error" not in done, done
claims = done["id_token"]
assert claims["iss"] == issuer and claims["aud"] == [settings["client_id"]], claims
assert done["userinfo"]["sub"] == claims["sub"], done["userinfo"]
assert done["userinfo"]["preferred_username"] == settings["login"], done["userinfo"]

state = answer["state"]
refreshed = handler.refresh_access_token(state)
assert refreshed["access_token"] != done["token"] and refreshed["id_token"], refreshed

out = handler.logout(state, post_logout_redirect_uri=settings["post_logout_redirect_uri"])
gone = browser.get(out["url"], allow_redirects=False)
assert gone.headers["location"].startswith(settings["post_logout_redirect_uri"]), gone.text
silent = browse(handler.begin(issuer, req_args={"prompt": "none", **scope}))
assert dict(parse_qsl(urlsplit(silent).query))["error"] == "login_required", silent

print("done")
