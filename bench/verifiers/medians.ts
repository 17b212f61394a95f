import { median } from '../measure.js'
import { takeTurns } from '../redis/turns.js'

export type Run = () => Promise<number>

/** Lets each have its turn, those that are there. @returns what gives the median of one by its name */
export async function medians<Name extends string>(
  runs: Readonly<Partial<Record<Name, Run>>>,
  options: { readonly rounds: number; readonly warmUps: number },
): Promise<(name: Name) => number> {
  const present = Object.entries<Run | undefined>(runs).flatMap(([name, run]) => (run ? [[name, run]] : []))
  const results: Record<string, number[]> = await takeTurns(Object.fromEntries(present), options)
  return (name) => median(results[name] ?? [])
}
