const LIMIT_MS = 15_000
const POLL_MS = 15

/** Asks again and again. @throws Error with what is missing, where that takes too long */
export async function until(
  check: () => boolean | Promise<boolean>,
  missing: () => string,
  limitMs = LIMIT_MS,
): Promise<void> {
  const giveUpAt = performance.now() + limitMs
  while (!(await check())) {
    if (performance.now() > giveUpAt) throw new Error(`Not within ${limitMs} ms: ${missing()}`)
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
}
