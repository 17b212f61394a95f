import type { User } from '../users.js'
import type { Challenge, Next } from './challenge.js'

interface Asked {
  readonly name: string
  readonly parameters: Readonly<Record<string, string>>
}

/** The challenges that tests have asked for, by user, first in, first out. */
export class AskedChallenges {
  readonly #asked = new Map<User, Asked[]>()

  add(user: User, name: string, parameters: Readonly<Record<string, string>>): void {
    const queue = this.#asked.get(user) ?? []
    queue.push({ name, parameters: { ...parameters } })
    this.#asked.set(user, queue)
  }

  /** The challenge that is due for this user, if any; whatever answers it is right. */
  take(user: User, next: Next): Challenge | undefined {
    const asked = this.#asked.get(user)?.shift()
    return asked === undefined ? undefined : { ...asked, answer: next }
  }
}
