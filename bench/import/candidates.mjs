/**
 * What is imported, and how it verifies its first token. Each is given how to load a package, as an ES module or by
 * `require`, and returns the `sub` of the token.
 *
 * @typedef {(name: string) => any} Load
 * @typedef {{ userPoolId: string, clientId: string, issuer: string, jwks: { keys: any[] }, token: string }} Input
 * @type {Record<string, (load: Load, input: Input) => Promise<unknown>>}
 */
export const CANDIDATES = {
  'cognito-revocation': async (load, input) => (await (await ours(load, input)).verify(input.token)).sub,

  'cognito-revocation/express': byNext('cognito-revocation/express'),
  'cognito-revocation/node': byNext('cognito-revocation/node'),
  'cognito-revocation/fastify': async (load, input) => {
    const { verifyToken } = await load('cognito-revocation/fastify')
    const hook = verifyToken(await ours(load, input))
    const request = { raw: nodeRequest(input.token), auth: undefined }
    await new Promise((resolve) => hook(request, {}, resolve))
    return subOf(request)
  },
  'cognito-revocation/koa': async (load, input) => {
    const { verifyToken } = await load('cognito-revocation/koa')
    const middleware = verifyToken(await ours(load, input))
    const ctx = { req: nodeRequest(input.token), state: {} }
    await middleware(ctx, async () => {})
    return subOf(ctx.state)
  },
  'cognito-revocation/hono': async (load, input) => {
    const { verifyToken } = await load('cognito-revocation/hono')
    const middleware = verifyToken(await ours(load, input))
    const found = {}
    const set = (/** @type {string} */ name, /** @type {unknown} */ value) =>
      Object.assign(found, { [name]: value })
    await middleware({ req: { raw: fetchRequest(input.token) }, set }, async () => {})
    return subOf(found)
  },
  'cognito-revocation/fetch': async (load, input) => {
    const { verifyToken } = await load('cognito-revocation/fetch')
    const authenticate = verifyToken(await ours(load, input))
    return (await authenticate(fetchRequest(input.token))).claims?.sub
  },
  'cognito-revocation/middy': async (load, input) => {
    const { verifyToken } = await load('cognito-revocation/middy')
    const { before } = verifyToken(await ours(load, input))
    const context = {}
    await before({ event: httpApiEvent(input.token), context })
    return subOf(context)
  },
  'cognito-revocation/lambda': async (load, input) => {
    const { createLambdaAuthorizer } = await load('cognito-revocation/lambda')
    const authorizer = createLambdaAuthorizer(await ours(load, input))
    const { isAuthorized, context } = await authorizer(httpApiEvent(input.token))
    return isAuthorized && context.sub
  },
  // Nest itself takes most of it: there is none without it.
  'cognito-revocation/nestjs': async (load, input) => {
    const { CognitoAuthGuard } = await load('cognito-revocation/nestjs')
    const verifier = await ours(load, input)
    return CognitoAuthGuard !== undefined && (await verifier.verify(input.token)).sub
  },
  'cognito-revocation/client': async (load, input) => {
    const { CognitoTokenClient } = await load('cognito-revocation/client')
    const verifier = await ours(load, input)
    return CognitoTokenClient !== undefined && (await verifier.verify(input.token)).sub
  },

  'aws-jwt-verify': async (load, input) => (await (await awsJwtVerify(load, input)).verify(input.token)).sub,
  'aws-jwt-verify, Nest': async (load, input) => {
    const { UnauthorizedException } = await load('@nestjs/common')
    await load('@nestjs/core')
    const verifier = await awsJwtVerify(load, input)
    return UnauthorizedException !== undefined && (await verifier.verify(input.token)).sub
  },
  jose: async (load, { issuer, jwks, token }) => {
    const { createLocalJWKSet, jwtVerify } = await load('jose')
    const { payload } = await jwtVerify(token, createLocalJWKSet(jwks), { issuer, algorithms: ['RS256'] })
    return payload.sub
  },
  'fast-jwt': async (load, { issuer, jwks, token }) => {
    const { createVerifier } = await load('fast-jwt')
    const key = (await publicKey(load, jwks)).export({ type: 'spki', format: 'pem' }).toString()
    return createVerifier({ key, algorithms: ['RS256'], allowedIss: issuer })(token).sub
  },
  jsonwebtoken: async (load, { issuer, jwks, token }) => {
    const module = await load('jsonwebtoken')
    const key = await publicKey(load, jwks)
    return (module.default ?? module).verify(token, key, { algorithms: ['RS256'], issuer }).sub
  },
  'node:crypto': async (load, { jwks, token }) => {
    const { verify } = await load('node:crypto')
    const [header, payload, signature] = token.split('.')
    const key = await publicKey(load, jwks)
    const isGood = verify(
      'RSA-SHA256',
      Buffer.from(`${header}.${payload}`),
      key,
      Buffer.from(signature ?? '', 'base64url'),
    )
    return isGood && JSON.parse(Buffer.from(payload ?? '', 'base64url').toString()).sub
  },
}

/** @param {Load} load @param {Input} input */
async function ours(load, { userPoolId, clientId, jwks }) {
  const { MemoryRevocationStore, TokenVerifier } = await load('cognito-revocation')
  const revocation = new MemoryRevocationStore()
  const verifier = new TokenVerifier({ userPoolId, clientId, tokenUse: 'access', revocation })
  verifier.cacheJwks(jwks)
  return verifier
}

/** @param {Load} load @param {Input} input */
async function awsJwtVerify(load, { userPoolId, clientId, jwks }) {
  const { CognitoJwtVerifier } = await load('aws-jwt-verify')
  const verifier = CognitoJwtVerifier.create({ userPoolId, clientId, tokenUse: 'access' })
  verifier.cacheJwks(jwks)
  return verifier
}

/** @param {Load} load @param {Input['jwks']} jwks @returns {Promise<import('node:crypto').KeyObject>} */
async function publicKey(load, jwks) {
  const { createPublicKey } = await load('node:crypto')
  return createPublicKey({ key: jwks.keys[0], format: 'jwk' })
}

/** @param {string} entry @returns {(load: Load, input: Input) => Promise<unknown>} */
function byNext(entry) {
  return async (load, input) => {
    const { verifyToken } = await load(entry)
    const middleware = verifyToken(await ours(load, input))
    const request = nodeRequest(input.token)
    await new Promise((resolve) => middleware(request, {}, resolve))
    return subOf(request)
  }
}

/** @param {object} holder */
function subOf(holder) {
  return /** @type {{ auth?: { sub: string } }} */ (holder).auth?.sub
}

// The requests are made up: a framework's own would be measured with what they come from.

/** @param {string} token */
function nodeRequest(token) {
  return { method: 'GET', headers: {}, rawHeaders: ['Authorization', `Bearer ${token}`] }
}

/** @param {string} token */
function fetchRequest(token) {
  const get = (/** @type {string} */ name) => (name === 'authorization' ? `Bearer ${token}` : null)
  return { method: 'GET', headers: { get } }
}

/** @param {string} token */
function httpApiEvent(token) {
  return {
    version: '2.0',
    type: 'REQUEST',
    routeArn: 'arn:aws:execute-api:us-east-1:123456789012:abcdef123/$default/GET/me',
    identitySource: [`Bearer ${token}`],
    routeKey: 'GET /me',
    rawPath: '/me',
    rawQueryString: '',
    headers: { authorization: `Bearer ${token}` },
    requestContext: { http: { method: 'GET', path: '/me' } },
  }
}
