// npm oidc-provider as a yardstick: the same clients, scopes and algorithms as the broker that is measured beside it. One
// argument: JSON with port, secret and redirect. Everything it issues is kept in memory, by its own default adapter.

import { generateKeyPair } from 'node:crypto';
import { promisify } from 'node:util';
import Provider from 'oidc-provider';

const { port, secret, redirect } = JSON.parse(process.argv[2]);
const make = promisify(generateKeyPair);
const pairs = await Promise.all([
  ['ES256', make('ec', { namedCurve: 'P-256' })],
  ['EdDSA', make('ed25519')],
  ['RS256', make('rsa', { modulusLength: 2048 })],
].map(async ([alg, pair]) => ({ alg, use: 'sig', ...(await pair).privateKey.export({ format: 'jwk' }) })));

const algorithms = pairs.map(({ alg }) => alg);
const service = (alg) => ({
  client_id: `ledger-${alg}`,
  client_secret: secret,
  grant_types: ['client_credentials'],
  response_types: [],
  redirect_uris: [],
});
const party = (alg) => ({
  client_id: `oa-${alg}`,
  client_secret: secret,
  grant_types: ['authorization_code', 'refresh_token'],
  redirect_uris: [redirect],
  id_token_signed_response_alg: alg,
  token_endpoint_auth_method: 'client_secret_post',
});
// It introspects opaque access tokens only: JWT ones are not kept.
const opaque = { ...service('opaque') };

const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [...algorithms.map(service), ...algorithms.map(party), opaque],
  jwks: { keys: pairs },
  cookies: { keys: [secret] },
  scopes: ['openid', 'profile', 'expense:read'],
  claims: { openid: ['sub'], profile: ['name', 'preferred_username'] },
  enabledJWA: { idTokenSigningAlgValues: algorithms },
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    introspection: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: (ctx) =>
        ctx.oidc.client.clientId.startsWith('ledger-') && ctx.oidc.client.clientId !== 'ledger-opaque'
          ? 'https://api.example' : undefined,
      getResourceServerInfo: (ctx) => ({
        scope: 'expense:read',
        accessTokenFormat: 'jwt',
        accessTokenTTL: 600,
        jwt: { sign: { alg: ctx.oidc.client.clientId.slice('ledger-'.length) } },
      }),
    },
  },
  issueRefreshToken: () => true,
  rotateRefreshToken: () => true,
  findAccount: (ctx, accountId) => ({
    accountId,
    claims: () => ({ sub: accountId, name: '李芳', preferred_username: accountId }),
  }),
  // The company decides who may in, as at the broker: nobody is asked.
  loadExistingGrant: async (ctx) => {
    const { client, session } = ctx.oidc;
    const known = session.grantIdFor(client.clientId);
    if (known) return provider.Grant.find(known);
    const grant = new provider.Grant({ clientId: client.clientId, accountId: session.accountId });
    grant.addOIDCScope('openid profile');
    await grant.save();
    return grant;
  },
  interactions: { url: (ctx, interaction) => `/interaction/${interaction.uid}` },
});
// Whoever comes to sign in is signed in.
provider.use(async (ctx, next) => {
  if (!ctx.path.startsWith('/interaction/')) return next();
  await provider.interactionFinished(ctx.req, ctx.res, { login: { accountId: 'li.fang' } });
  ctx.respond = false;
});
provider.listen(port, '127.0.0.1');
