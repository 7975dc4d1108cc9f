// A validator of access tokens with jose: validator(issuer, audience) gives a function that refuses or gives the claims.
import { inflateSync } from 'node:zlib'
import { base64url, createRemoteJWKSet, jwtVerify } from 'jose'

export function validator(issuer, audience) {
  const keys = createRemoteJWKSet(new URL(`${issuer}/oauth2/jwks`))
  return async (token) => {
    const { payload } = await jwtVerify(token, keys, { issuer, audience, typ: 'at+jwt' })
    const { idx, uri } = payload.status.status_list // keep the list for its `ttl`, if you like
    const list = await jwtVerify(await (await fetch(uri)).text(), keys, { issuer, subject: uri, typ: 'statuslist+jwt' })
    const bits = inflateSync(base64url.decode(list.payload.status_list.lst))
    if ((bits[idx >> 3] >> (idx & 7)) & 1) throw new Error('the token was revoked')
    return payload
  }
}
