import type { Parameters } from '../parameters.js'
import type { Pool } from '../pool.js'

/** One operation of Cognito's API: reads and changes the pool, gives the answer's body, or throws a refusal. */
export interface Operation {
  /** Whether it wants the caller's AWS credentials, as the operations for administrators do. */
  readonly needsCredentials: boolean
  readonly run: (pool: Pool, parameters: Parameters) => object | Promise<object>
}
