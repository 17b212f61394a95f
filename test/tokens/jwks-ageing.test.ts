import { describe, expect, it } from 'vitest'
import { JwksUnavailableError, NotReadyError } from '../../src/errors.js'
import { eventually, passCooldown, useJwksScene } from '../support/jwks-scene.js'
import { takeMonotonicClock } from '../support/monotonic.js'
import { judge } from '../support/verdicts.js'

const scene = useJwksScene()

describe('keys that have grown old', () => {
  const aged = { refreshAfterMs: 600_000, maxAgeMs: 6_000_000 }

  it('are fetched anew in the background: no token waits', async () => {
    const { server, clock } = scene()
    const verifier = scene().createVerifier({ ...aged, cooldownMs: 1 })
    const [seen = '', unseen = ''] = scene().tokens(2)
    await verifier.verify(seen)
    await passCooldown()
    server.hang()
    clock.advance(600)
    expect(await judge(verifier, seen)).toBe('accepted')
    expect(server.requests).toBe(1)
    clock.advance(1)
    expect(await judge(verifier, seen)).toBe('accepted')
    expect(await judge(verifier, unseen)).toBe('accepted')
    await eventually(() => expect(server.requests).toBe(2))
  })

  it('are fetched anew by verifySync too', async () => {
    const { signer, clock } = scene()
    const verifier = scene().createVerifier({ ...aged, cooldownMs: 1 })
    await verifier.ready()
    await passCooldown()
    clock.advance(601)
    expect(() => verifier.verifySync(signer.accessToken())).not.toThrow()
    await eventually(() => expect(scene().eventsOf('jwks_fetched')).toHaveLength(2))
  })

  it('stop hot tokens after the next fetch, where they have been withdrawn', async () => {
    const { signer, successor, server, clock } = scene()
    const verifier = scene().createVerifier({ ...aged, cooldownMs: 1 })
    const token = signer.accessToken()
    await verifier.verify(token)
    await verifier.verify(token)
    await passCooldown()
    server.publish(successor.jwks)
    clock.advance(601)
    await verifier.verify(token)
    await eventually(() => expect(scene().eventsOf('jwks_fetched')).toHaveLength(2))
    expect(await judge(verifier, token)).toBe('token_key_unknown')
    expect(() => verifier.verifySync(token)).toThrow(NotReadyError)
  })

  it('stop hot tokens where another key is published under their kid', async () => {
    const { signer, server, clock, successor } = scene()
    const verifier = scene().createVerifier({ ...aged, cooldownMs: 1 })
    const token = signer.accessToken()
    await verifier.verify(token)
    await passCooldown()
    server.publish({ keys: [{ ...successor.jwk, kid: signer.kid }] })
    clock.advance(601)
    await verifier.verify(token)
    await eventually(() => expect(scene().eventsOf('jwks_fetched')).toHaveLength(2))
    expect(await judge(verifier, token)).toBe('token_signature_invalid')
  })

  it('are trusted while the JWKS is down, for as long as maxAgeMs', async () => {
    const { server, clock } = scene()
    const verifier = scene().createVerifier({ ...aged, cooldownMs: 1 })
    const [seen = '', unseen = ''] = scene().tokens(2)
    await verifier.verify(seen)
    await passCooldown()
    server.fail()
    clock.advance(3_000)
    expect(await judge(verifier, seen)).toBe('accepted')
    expect(await judge(verifier, unseen)).toBe('accepted')
    await eventually(() => expect(scene().eventsOf('jwks_fetch_failed')).not.toEqual([]))
    expect(await judge(verifier, seen)).toBe('accepted')
  })

  it('are trusted no longer than maxAgeMs while the JWKS is down: hot tokens get 503 too', async () => {
    const { server, clock } = scene()
    const verifier = scene().createVerifier({ refreshAfterMs: 60_000, maxAgeMs: 120_000, cooldownMs: 1 })
    const [seen = '', unseen = ''] = scene().tokens(2)
    await verifier.verify(seen)
    server.fail()
    clock.advance(120)
    expect(await judge(verifier, seen)).toBe('accepted')
    clock.advance(1)
    expect(await judge(verifier, seen)).toBe('jwks_unavailable')
    expect(await judge(verifier, unseen)).toBe('jwks_unavailable')
    expect(() => verifier.verifySync(seen)).toThrow(NotReadyError)
    await expect(verifier.ready()).rejects.toBeInstanceOf(JwksUnavailableError)
  })

  it('are trusted again once they have been fetched anew', async () => {
    const { signer, server, clock } = scene()
    const moveMonotonic = takeMonotonicClock()
    const verifier = scene().createVerifier({ refreshAfterMs: 60_000, maxAgeMs: 120_000, cooldownMs: 1_000 })
    const token = signer.accessToken()
    await verifier.verify(token)
    server.fail()
    moveMonotonic(1_000)
    clock.advance(121)
    expect(await judge(verifier, token)).toBe('jwks_unavailable')
    server.publish(signer.jwks)
    moveMonotonic(1_000)
    expect(await judge(verifier, token)).toBe('accepted')
  })

  it('grow old by the monotonic clock where the wall clock stands still or goes back', async () => {
    const { signer, server, clock } = scene()
    const moveMonotonic = takeMonotonicClock()
    const verifier = scene().createVerifier({ refreshAfterMs: 60_000, maxAgeMs: 120_000, cooldownMs: 1_000 })
    const token = signer.accessToken()
    await verifier.verify(token)
    server.fail()
    clock.advance(-30)
    moveMonotonic(121_000)
    expect(await judge(verifier, token)).toBe('jwks_unavailable')
  })
})
