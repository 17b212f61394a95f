/** Where the servers of the `http` benchmarks are. */
export interface Places {
  readonly url: string
  readonly bareUrl: string
}

export const KEY = 'a-key-of-the-benchmarks-with-32-bytes'
export const poolId = 'us-east-1_AbCdEfGhI'
