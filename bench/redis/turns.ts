/** As `interleave`, of what takes its time: each in turn, each round beginning with another, and all results. */
export async function takeTurns<Name extends string, Result>(
  runs: Readonly<Record<Name, () => Promise<Result>>>,
  { rounds, warmUps = 1 }: { readonly rounds: number; readonly warmUps?: number },
): Promise<Record<Name, Result[]>> {
  const names = Object.keys(runs) as Name[]
  const results = Object.fromEntries(names.map((name) => [name, [] as Result[]])) as Record<Name, Result[]>
  for (let round = 0; round < rounds + warmUps; round++) {
    for (let turn = 0; turn < names.length; turn++) {
      const name = names[(round + turn) % names.length] as Name
      const result = await runs[name]()
      if (round >= warmUps) results[name].push(result)
    }
  }
  return results
}
