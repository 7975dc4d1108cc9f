// npm oauth4webapi as a relying party and as a resource server: signs in, refreshes, introspects, revokes, and validates
// an access token as RFC 9068 wants it. Settings come as JSON on standard input; the last line of standard output is
// `done`. Any surprise ends the process with an error.

import assert from 'node:assert/strict';
import { browse, settings } from './browser.mjs';
import * as oauth from 'oauth4webapi';

const loose = { [oauth.allowInsecureRequests]: true };
const issuer = new URL(settings.issuer);
const servers = await Promise.all(['oidc', 'oauth2'].map(async (algorithm) =>
  oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { algorithm, ...loose }))));
// OpenID Connect Discovery and RFC 8414 are two places of one document.
assert.deepEqual(servers[0], servers[1]);
const [as] = servers;
const client = { client_id: settings.client_id };
const proof = oauth.ClientSecretBasic(settings.client_secret);

async function signIn(extra = {}) {
  const verifier = oauth.generateRandomCodeVerifier();
  const [state, nonce] = [oauth.generateRandomState(), oauth.generateRandomNonce()];
  const to = new URL(as.authorization_endpoint);
  to.search = new URLSearchParams({
    client_id: client.client_id,
    redirect_uri: settings.redirect_uri,
    response_type: 'code',
    scope: 'openid email offline_access',
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    state,
    nonce,
    ...extra,
  });
  return { back: await browse(to.href), state, nonce, verifier };
}

async function redeem({ back, state, nonce, verifier }) {
  // Checks state and, because discovery promises it, `iss` (RFC 9207).
  const params = oauth.validateAuthResponse(as, client, back, state);
  const answer = await oauth.authorizationCodeGrantRequest(
    as, client, proof, params, settings.redirect_uri, verifier, loose);
  const tokens = await oauth.processAuthorizationCodeResponse(
    as, client, answer, { expectedNonce: nonce, requireIdToken: true });
  await oauth.validateApplicationLevelSignature(as, answer, loose);
  return tokens;
}

const tokens = await redeem(await signIn());
const claims = oauth.getValidatedIdTokenClaims(tokens);
const about = await oauth.processUserInfoResponse(
  as, client, claims.sub, await oauth.userInfoRequest(as, client, tokens.access_token, loose));
assert.equal(about.email_verified !== undefined, about.email !== undefined);

const call = new Request('http://api.invalid/', { headers: { authorization: `Bearer ${tokens.access_token}` } });
const judged = await oauth.validateJwtAccessToken(as, call, `${settings.issuer}/api`, loose);
assert.equal(judged.sub, claims.sub);
await assert.rejects(oauth.validateJwtAccessToken(as, call, 'https://another.example', loose));

const refreshed = await oauth.processRefreshTokenResponse(
  as, client, await oauth.refreshTokenGrantRequest(as, client, proof, tokens.refresh_token, loose));
assert.notEqual(refreshed.refresh_token, tokens.refresh_token);

const ask = async (token) => oauth.processIntrospectionResponse(
  as, client, await oauth.introspectionRequest(as, client, proof, token, loose));
assert.equal((await ask(refreshed.access_token)).active, true);
const end = async (token) => oauth.processRevocationResponse(
  await oauth.revocationRequest(as, client, proof, token, loose));
await end(refreshed.refresh_token);
assert.deepEqual(await ask(refreshed.access_token), { active: false });

// An error comes back as this client expects it, with state and issuer.
const { back, state } = await signIn({ prompt: 'none', max_age: '0' });
assert.throws(() => oauth.validateAuthResponse(as, client, back, state), { error: 'login_required' });

const service = { client_id: settings.service_id };
const own = await oauth.processClientCredentialsResponse(as, service, await oauth.clientCredentialsGrantRequest(
  as, service, oauth.ClientSecretPost(settings.client_secret), { scope: 'report:read' }, loose));
assert.equal(own.scope, 'report:read');

console.log('done');
