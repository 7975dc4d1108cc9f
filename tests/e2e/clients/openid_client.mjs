// npm openid-client as a relying party: signs in, refreshes, introspects, revokes, signs out. Settings come as JSON on
// standard input; the last line of standard output is `done`. Any surprise ends the process with an error.

import assert from 'node:assert/strict';
import { webcrypto } from 'node:crypto';
import * as oidc from 'openid-client';

// Debian 12 has Node 18, which keeps Web Crypto in a module; the client looks for it where browsers and Node 20 have it.
globalThis.crypto ??= webcrypto;
globalThis.CryptoKey ??= webcrypto.CryptoKey;

const settings = JSON.parse(await new Promise((resolve) => {
  let text = '';
  process.stdin.on('data', (chunk) => (text += chunk)).on('end', () => resolve(text));
}));

// A browser without scripts: cookies, one request at a time, forms as they come.
const jar = new Map();
async function visit(url, form) {
  const answer = await fetch(url, {
    redirect: 'manual',
    method: form ? 'POST' : 'GET',
    body: form && new URLSearchParams(form),
    headers: { cookie: [...jar].map(([name, value]) => `${name}=${value}`).join('; '), 'accept-language': 'en' },
  });
  for (const line of answer.headers.getSetCookie()) {
    const [name, value] = line.split(';')[0].split(/=(.*)/s);
    if (/max-age=0/i.test(line)) jar.delete(name);
    else jar.set(name, value);
  }
  const location = answer.headers.get('location');
  return { status: answer.status, text: await answer.text(), location: location && new URL(location, url).href };
}

function unescape(text) {
  const names = { amp: '&', lt: '<', gt: '>', quot: '"' };
  return text
    .replace(/&#x([0-9a-f]+);/gi, (_, code) => String.fromCodePoint(parseInt(code, 16)))
    .replace(/&#(\d+);/g, (_, code) => String.fromCodePoint(Number(code)))
    .replace(/&(amp|lt|gt|quot);/g, (_, name) => names[name]);
}

// Follows redirects to the application; fills in the sign-in form when it is shown.
async function browse(url) {
  for (let step = 0; step < 10; step += 1) {
    const page = await visit(url);
    if (page.location?.startsWith(settings.redirect_uri)) return new URL(page.location);
    if (page.location) {
      url = page.location;
      continue;
    }
    assert.equal(page.status, 200, page.text);
    const fields = {};
    for (const [input] of page.text.matchAll(/<input\b[^>]*>/g)) {
      const attribute = (name) => unescape(input.match(new RegExp(`\\b${name}="([^"]*)"`))?.[1] ?? '');
      if (attribute('name')) fields[attribute('name')] = attribute('value');
    }
    assert.ok('password' in fields, page.text);
    const sent = await visit(new URL('/login', url).href, { ...fields, login: settings.login, password: settings.password });
    assert.equal(sent.status, 303, sent.text);
    url = sent.location;
  }
  throw new Error(`no way to the application from ${url}`);
}

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
