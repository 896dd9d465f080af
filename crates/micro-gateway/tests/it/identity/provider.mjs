// A real OpenID provider on a free port of this machine, which grants its one client what it asks for.
// Started as: node provider.mjs PATH_OF_OIDC_PROVIDER. Says `ready JSON`. `POST /rotate` makes it sign with a new key,
// and publish the old one beside; `GET /counts` tells how often its keys were fetched.
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { pathToFileURL } from 'node:url';

const { default: Provider } = await import(pathToFileURL(process.argv[2]));
const server = createServer();
await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
const issuer = `http://127.0.0.1:${server.address().port}`;
const keys = [];

function provider() {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  keys.unshift({ ...privateKey.export({ format: 'jwk' }), kid: `key-${keys.length + 1}`, use: 'sig', alg: 'RS256' });
  return new Provider(issuer, {
    clients: [{
      client_id: 'agent', client_secret: 'a secret of some length', grant_types: ['client_credentials'],
      redirect_uris: [], response_types: [], token_endpoint_auth_method: 'client_secret_post',
    }],
    cookies: { keys: [randomBytes(16).toString('hex')] },
    jwks: { keys },
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (_, resource) => ({
          scope: 'notes:read notes:write',
          audience: resource,
          accessTokenFormat: 'jwt',
          accessTokenTTL: 600,
          jwt: { sign: { alg: 'RS256' } },
        }),
      },
    },
    extraTokenClaims: () => ({ roles: ['reader'], org: 'acme' }),
    scopes: ['notes:read', 'notes:write'],
  });
}

let current = provider().callback();
let fetched = 0;
server.on('request', (request, response) => {
  if (request.url === '/rotate') {
    current = provider().callback();
    return response.end('rotated');
  }
  if (request.url === '/counts') return response.end(String(fetched));
  if (request.url === '/jwks') fetched += 1;
  return current(request, response);
});
console.log(`ready ${JSON.stringify({ issuer })}`);
