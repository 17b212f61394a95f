import type { RevocationMatch } from '../../src/revocation/revocation.js'
import type { RevocationStore } from '../../src/revocation/store.js'
import type { TokenIdentity } from '../../src/tokens/token-identity.js'

export interface LookUp {
  readonly method: 'find' | 'findSync'
  readonly token: TokenIdentity
}

/** What a look-up does; whatever it gives is handed over as the answer, fit or not. */
export type Answer = (token: TokenIdentity) => unknown

/** A store that has to be asked, and takes down each time that it is. */
export class SpyStore implements RevocationStore {
  readonly lookUps: LookUp[] = []
  answer: Answer

  constructor(answer: Answer = () => undefined) {
    this.answer = answer
  }

  async add(): Promise<void> {
    throw new Error('a verifier has nothing to write')
  }

  find(token: TokenIdentity): Promise<RevocationMatch | undefined> {
    this.lookUps.push({ method: 'find', token })
    return this.answer(token) as Promise<RevocationMatch | undefined>
  }
}

/** The same for a store that answers from memory. */
export class SpyMemoryStore extends SpyStore {
  answerSync: Answer

  constructor(answerSync: Answer = () => undefined, answer?: Answer) {
    super(answer)
    this.answerSync = answerSync
  }

  findSync(token: TokenIdentity): RevocationMatch | undefined {
    this.lookUps.push({ method: 'findSync', token })
    return this.answerSync(token) as RevocationMatch | undefined
  }
}
