/** Where the processes of `redis-propagation` meet. */
export interface Place {
  readonly port: number
  readonly namespace: string
  readonly stream: string
}

export const poolId = 'us-east-1_AbCdEfGhI'
