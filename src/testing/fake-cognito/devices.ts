import { randomBytes, randomUUID } from 'node:crypto'
import type { User } from './users.js'

/** A device of a user's, known by its key from the sign-in that was told of it. */
export interface Device {
  readonly key: string
  readonly groupKey: string
  readonly user: User
  /** What ConfirmDevice gave: only then can the device sign in. */
  secret?: { readonly verifier: bigint; readonly salt: bigint }
  forgotten: boolean
}

/** The devices of a pool. */
export class Devices {
  readonly #devices = new Map<string, Device>()
  readonly #region: string

  constructor(region: string) {
    this.#region = region
  }

  create(user: User): Device {
    const device: Device = {
      key: `${this.#region}_${randomUUID()}`,
      groupKey: `-${randomBytes(6).toString('base64url')}`,
      user,
      forgotten: false,
    }
    this.#devices.set(device.key, device)
    return device
  }

  find(user: User, key: string): Device | undefined {
    const device = this.#devices.get(key)
    return device?.user === user && !device.forgotten ? device : undefined
  }
}
