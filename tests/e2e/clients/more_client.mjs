// npm openid-client beyond the code flow: a signed request and a signed answer (JAR, JARM), a code with an ID token beside
// it, a device, a person asked elsewhere (CIBA), registration; and jose on the logout token of the back channel. Settings
// come as JSON on standard input; the last line of standard output is `done`.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { approve, browse, settings, visit } from './browser.mjs';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import * as oidc from 'openid-client';

const options = { execute: [oidc.allowInsecureRequests] };
const issuer = new URL(settings.issuer);
const discover = (id, more = []) => oidc.discovery(
  issuer, id, undefined, oidc.ClientSecretBasic(settings.client_secret), { execute: [...options.execute, ...more] });
const ec = { name: 'ECDSA', namedCurve: 'P-256' };
const key = await crypto.subtle.importKey('pkcs8', Buffer.from(settings.key, 'base64'), ec, false, ['sign']);

// The back channel: what this application is sent when a session ends.
const told = [];
const ear = createServer((request, response) => {
  let text = '';
  request.on('data', (chunk) => (text += chunk)).on('end', () => {
    told.push(new URLSearchParams(text));
    response.end();
  });
});
await new Promise((resolve) => ear.listen(settings.ear, '127.0.0.1', resolve));

async function request(config, extra = {}) {
  const verifier = oidc.randomPKCECodeVerifier();
  const checks = { expectedState: oidc.randomState(), expectedNonce: oidc.randomNonce(), pkceCodeVerifier: verifier };
  const parameters = {
    redirect_uri: settings.redirect_uri,
    scope: 'openid profile offline_access',
    code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    state: checks.expectedState,
    nonce: checks.expectedNonce,
    ...extra,
  };
  return [parameters, { ...checks, idTokenExpected: true }];
}

// --- a signed request, a signed answer ---
const careful = await discover('careful', [oidc.useJwtResponseMode]);
const [parameters, checks] = await request(careful);
const to = await oidc.buildAuthorizationUrlWithJAR(careful, parameters, { key, kid: settings.kid });
assert.deepEqual([...to.searchParams.keys()].sort(), ['client_id', 'request']);
const back = await browse(to.href);
assert.deepEqual([...back.searchParams.keys()], ['response']);
const tokens = await oidc.authorizationCodeGrant(careful, back, checks);
const claims = tokens.claims();
// Unsigned, the same application is refused, in a signed answer.
const [plain, plainChecks] = await request(careful);
const refused = await browse(oidc.buildAuthorizationUrl(careful, plain).href);
await assert.rejects(oidc.authorizationCodeGrant(careful, refused, plainChecks), { error: 'invalid_request' });

// --- a code and an ID token that vouches for it, in the fragment ---
const hybrid = await discover('hybrid', [oidc.useCodeIdTokenResponseType]);
const [both, bothChecks] = await request(hybrid, { scope: 'openid' });
const answered = await browse(oidc.buildAuthorizationUrl(hybrid, both).href);
assert.match(answered.hash, /id_token=/);
assert.equal((await oidc.authorizationCodeGrant(hybrid, answered, bothChecks)).claims().sub, claims.sub);

// --- a device, and a person asked elsewhere ---
const tv = await discover('tv');
const device = await oidc.initiateDeviceAuthorization(tv, { scope: 'openid offline_access' });
await approve(device.verification_uri_complete);
const watching = await oidc.pollDeviceAuthorizationGrant(tv, device);
assert.equal(watching.claims().sub, claims.sub);
assert.equal((await oidc.refreshTokenGrant(tv, watching.refresh_token)).claims().sub, claims.sub);

const desk = await discover('desk');
const asked = await oidc.initiateBackchannelAuthentication(desk, {
  scope: 'openid', login_hint: settings.login, binding_message: '4711',
});
await approve(`${settings.issuer}/requests`);
assert.equal((await oidc.pollBackchannelAuthenticationGrant(desk, asked)).claims().sub, claims.sub);

// --- an application that registers itself ---
const own = await oidc.dynamicClientRegistration(
  issuer, { client_name: 'Self', grant_types: ['client_credentials'], response_types: [], scope: 'report:read' },
  oidc.ClientSecretBasic(), { ...options, initialAccessToken: settings.registration_token });
assert.equal((await oidc.clientCredentialsGrant(own, { scope: 'report:read' })).scope, 'report:read');

// --- signing out: the application is told by the back channel, in a token that jose believes ---
const out = oidc.buildEndSessionUrl(careful, {
  id_token_hint: tokens.id_token, post_logout_redirect_uri: settings.post_logout_redirect_uri,
});
assert.equal((await visit(out.href)).location, settings.post_logout_redirect_uri);
for (let turn = 0; told.length === 0 && turn < 200; turn += 1) await new Promise((resolve) => setTimeout(resolve, 50));
ear.close();
assert.deepEqual(told.map((form) => [...form.keys()]), [['logout_token']]);
const keys = createRemoteJWKSet(new URL(careful.serverMetadata().jwks_uri));
const { payload } = await jwtVerify(told[0].get('logout_token'), keys, {
  issuer: settings.issuer, audience: 'careful', typ: 'logout+jwt', requiredClaims: ['iat', 'exp', 'jti', 'events'],
});
assert.deepEqual([payload.sub, payload.sid, payload.nonce], [claims.sub, claims.sid, undefined]);
assert.deepEqual(payload.events, { 'http://schemas.openid.net/event/backchannel-logout': {} });

console.log('done');
process.exit(0);
