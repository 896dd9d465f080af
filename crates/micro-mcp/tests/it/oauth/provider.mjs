// A real OpenID provider on a free port of this machine, whose only user agrees to everything at once.
// Started as: node provider.mjs PATH_OF_OIDC_PROVIDER. Says `ready JSON`; at /counts it tells what it has done how often.
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { pathToFileURL } from 'node:url';

const { default: Provider } = await import(pathToFileURL(process.argv[2]));
const server = createServer();
await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
const issuer = `http://127.0.0.1:${server.address().port}`;
const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });

const machine = { grant_types: ['client_credentials'], redirect_uris: [], response_types: [] };
const provider = new Provider(issuer, {
  clients: [
    { ...machine, client_id: 'with secret', client_secret: 'a secret: with/odd+signs', token_endpoint_auth_method: 'client_secret_basic' },
    { ...machine, client_id: 'with-key', jwks: { keys: [publicKey.export({ format: 'jwk' })] }, token_endpoint_auth_method: 'private_key_jwt' },
  ],
  cookies: { keys: [randomBytes(16).toString('hex')] },
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: false },
    dPoP: { enabled: true, nonceSecret: randomBytes(32), requireNonce: () => true },
    registration: { enabled: true },
    resourceIndicators: {
      enabled: true,
      useGrantedResource: () => true,
      getResourceServerInfo: (_, resource) => ({
        scope: 'mcp:read mcp:write',
        audience: resource,
        accessTokenFormat: 'jwt',
        accessTokenTTL: 600,
      }),
    },
  },
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
  interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
  pkce: { required: () => true },
  rotateRefreshToken: true,
  scopes: ['openid', 'offline_access', 'mcp:read', 'mcp:write'],
});

const counts = {};
const count = (what) => { counts[what] = (counts[what] ?? 0) + 1; };

provider.use(async (ctx, next) => {
  if (ctx.path === '/counts') return void (ctx.body = counts);
  if (!ctx.path.startsWith('/interaction/')) return next();
  ctx.respond = false;
  const { grantId, params, prompt, session } = await provider.interactionDetails(ctx.req, ctx.res);
  const result = {};
  if (prompt.name === 'login') {
    result.login = { accountId: 'alice' };
  } else {
    const known = grantId && (await provider.Grant.find(grantId));
    const grant = known || new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
    grant.addOIDCScope((prompt.details.missingOIDCScope ?? []).join(' '));
    for (const [resource, scopes] of Object.entries(prompt.details.missingResourceScopes ?? {})) {
      grant.addResourceScope(resource, scopes.join(' '));
    }
    result.consent = { grantId: await grant.save() };
  }
  await provider.interactionFinished(ctx.req, ctx.res, result, { mergeWithLastSubmission: true });
});
provider.on('grant.success', (ctx) => count(ctx.oidc.params.grant_type));
provider.on('registration_create.success', () => count('registration'));
for (const event of ['grant.error', 'registration_create.error', 'authorization.error', 'server_error']) {
  provider.on(event, (_, error) => console.log(`${event}: ${error.message} ${error.error_description ?? ''}`));
}
server.on('request', provider.callback());
console.log(`ready ${JSON.stringify({ issuer, key: privateKey.export({ type: 'pkcs8', format: 'pem' }) })}`);
