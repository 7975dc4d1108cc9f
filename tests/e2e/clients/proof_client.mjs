// npm openid-client with keys instead of secrets: private_key_jwt, DPoP with our nonces, and a client certificate at the
// mTLS addresses. Settings come as JSON on standard input; the last line of standard output is `done`.

import assert from 'node:assert/strict';
import https from 'node:https';
import { browse, settings } from './browser.mjs';
import * as oidc from 'openid-client';

const options = { execute: [oidc.allowInsecureRequests] };
const pkcs8 = Buffer.from(settings.key, 'base64');
const ec = { name: 'ECDSA', namedCurve: 'P-256' };
const key = await crypto.subtle.importKey('pkcs8', pkcs8, ec, false, ['sign']);

// --- private_key_jwt and DPoP, through the code flow of a FAPI 2.0 client ---
const auth = oidc.PrivateKeyJwt({ key, kid: settings.kid });
const config = await oidc.discovery(new URL(settings.issuer), 'keyed', undefined, auth, options);
const DPoP = oidc.getDPoPHandle(config, await oidc.randomDPoPKeyPair('ES256'));
const verifier = oidc.randomPKCECodeVerifier();
const checks = { expectedState: oidc.randomState(), expectedNonce: oidc.randomNonce(), pkceCodeVerifier: verifier };
const parameters = {
  redirect_uri: settings.redirect_uri,
  scope: 'openid profile offline_access',
  code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
  code_challenge_method: 'S256',
  state: checks.expectedState,
  nonce: checks.expectedNonce,
};
const to = await oidc.buildAuthorizationUrlWithPAR(config, parameters, { DPoP });
assert.deepEqual([...to.searchParams.keys()].sort(), ['client_id', 'request_uri']);
const back = await browse(to.href);
const tokens = await oidc.authorizationCodeGrant(config, back, { ...checks, idTokenExpected: true }, undefined, { DPoP });
assert.equal(tokens.token_type, 'dpop');
const claims = tokens.claims();
const about = await oidc.fetchUserInfo(config, tokens.access_token, claims.sub, { DPoP });
assert.equal(about.name, '王芳');
await assert.rejects(oidc.fetchUserInfo(config, tokens.access_token, claims.sub));
const other = oidc.getDPoPHandle(config, await oidc.randomDPoPKeyPair('ES256'));
await assert.rejects(oidc.fetchUserInfo(config, tokens.access_token, claims.sub, { DPoP: other }));
const refreshed = await oidc.refreshTokenGrant(config, tokens.refresh_token, undefined, { DPoP });
const live = await oidc.tokenIntrospection(config, refreshed.access_token);
assert.equal(live.active, true);
assert.equal(live.token_type, 'DPoP');
assert.ok(live.cnf.jkt);

// --- a certificate, at the addresses of mtls_endpoint_aliases ---
const tls = { key: settings.tls_key, cert: settings.tls_certificate, ca: settings.tls_authority };
function fetchWithCertificate(url, init) {
  return new Promise((resolve, reject) => {
    if (!url.startsWith('https:')) return fetch(url, init).then(resolve, reject);
    const body = init.body === undefined ? undefined : String(init.body);
    const request = https.request(url, { method: init.method, headers: init.headers, ...tls }, (answer) => {
      const parts = [];
      answer.on('data', (part) => parts.push(part));
      answer.on('end', () => resolve(new Response(Buffer.concat(parts), { status: answer.statusCode, headers: answer.headers })));
    });
    request.on('error', reject);
    request.end(body);
  });
}
const certified = await oidc.discovery(
  new URL(settings.issuer), 'certified', { use_mtls_endpoint_aliases: true }, oidc.TlsClientAuth(),
  { ...options, [oidc.customFetch]: fetchWithCertificate });
const bound = await oidc.clientCredentialsGrant(certified, { scope: 'report:read' });
const payload = JSON.parse(Buffer.from(bound.access_token.split('.')[1], 'base64url'));
assert.equal(payload.cnf['x5t#S256'], settings.thumbprint);
const seen = await oidc.tokenIntrospection(certified, bound.access_token);
assert.equal(seen.cnf['x5t#S256'], settings.thumbprint);
// The same address without a certificate.
const bare = await oidc.discovery(new URL(settings.issuer), 'certified', undefined, oidc.TlsClientAuth(), options);
await assert.rejects(oidc.clientCredentialsGrant(bare, { scope: 'report:read' }), { status: 401 });

console.log('done');
