// npm openid-client as a relying party: signs in, refreshes, introspects, revokes, signs out. Settings come as JSON on
// standard input; the last line of standard output is `done`. Any surprise ends the process with an error.

import assert from 'node:assert/strict';
import { browse, settings, visit } from './browser.mjs';
import * as oidc from 'openid-client';

const options = { execute: [oidc.allowInsecureRequests] };
const config = await oidc.discovery(
  new URL(settings.issuer), settings.client_id, undefined, oidc.ClientSecretBasic(settings.client_secret), options);
assert.ok(config.serverMetadata().supportsPKCE());

async function signIn(extra = {}) {
  const verifier = oidc.randomPKCECodeVerifier();
  const checks = { expectedState: oidc.randomState(), expectedNonce: oidc.randomNonce(), pkceCodeVerifier: verifier };
  const to = oidc.buildAuthorizationUrl(config, {
    redirect_uri: settings.redirect_uri,
    scope: 'openid profile roles',
    code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    state: checks.expectedState,
    nonce: checks.expectedNonce,
    ...extra,
  });
  const back = await browse(to.href);
  return [back, checks];
}

const [back, checks] = await signIn();
const tokens = await oidc.authorizationCodeGrant(config, back, { ...checks, idTokenExpected: true });
const claims = tokens.claims();
assert.deepEqual(claims.roles, ['employee', 'it-admin']);
const about = await oidc.fetchUserInfo(config, tokens.access_token, claims.sub);
assert.equal(about.preferred_username, settings.login);
assert.equal(about.name, '王芳');

// A second sign-in needs no form: prompt=none would fail if it did.
const [silent, silentChecks] = await signIn({ prompt: 'none' });
const second = await oidc.authorizationCodeGrant(config, silent, { ...silentChecks, maxAge: 600 });
assert.equal(second.claims().sub, claims.sub);

// A code is good once, and its second use kills what it gave.
await assert.rejects(oidc.authorizationCodeGrant(config, silent, silentChecks), { error: 'invalid_grant' });
await assert.rejects(oidc.fetchUserInfo(config, second.access_token, claims.sub));

const refreshed = await oidc.refreshTokenGrant(config, tokens.refresh_token);
assert.notEqual(refreshed.refresh_token, tokens.refresh_token);
assert.equal(refreshed.claims().auth_time, claims.auth_time);

const live = await oidc.tokenIntrospection(config, refreshed.access_token);
assert.equal(live.active, true);
assert.equal(live.sub, claims.sub);
await oidc.tokenRevocation(config, refreshed.access_token);
assert.deepEqual(await oidc.tokenIntrospection(config, refreshed.access_token), { active: false });
await oidc.tokenRevocation(config, refreshed.refresh_token);
await assert.rejects(oidc.refreshTokenGrant(config, refreshed.refresh_token), { error: 'invalid_grant' });

const out = oidc.buildEndSessionUrl(config, {
  post_logout_redirect_uri: settings.post_logout_redirect_uri,
  id_token_hint: tokens.id_token,
  state: 'bye',
});
const gone = await visit(out.href);
assert.equal(gone.location, `${settings.post_logout_redirect_uri}?state=bye`);
const [refused, refusedChecks] = await signIn({ prompt: 'none' });
await assert.rejects(oidc.authorizationCodeGrant(config, refused, refusedChecks), { error: 'login_required' });

const own = await oidc.discovery(
  new URL(settings.issuer), settings.service_id, undefined, oidc.ClientSecretPost(settings.client_secret), options);
const service = await oidc.clientCredentialsGrant(own, { scope: 'report:read' });
assert.equal(service.scope, 'report:read');
assert.equal(service.refresh_token, undefined);

console.log('done');
