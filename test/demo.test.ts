import { afterEach, describe, expect, it, vi } from 'vitest'
import { Play } from '../examples/demo/play.js'

describe('The play that the demo is told in', () => {
  const lines: string[] = []
  const play = () => {
    lines.length = 0
    vi.spyOn(console, 'log').mockImplementation((line: string) => void lines.push(line))
    return new Play()
  }

  afterEach(() => {
    process.exitCode = undefined
    vi.restoreAllMocks()
  })

  it('leaves the exit code alone where every step holds', async () => {
    const told = play()
    expect(await told.step('a step', async () => 5)).toBe(5)
    await told.expect('an answer', async () => '401', '401')
    told.end()
    expect(process.exitCode).toBeUndefined()
    expect(lines.join('\n')).toMatch(/✓ a step.*✓ {3}an answer.*2 steps in .* s, every one as it should be/s)
  })

  it.each([
    ['another answer', async () => '200'],
    ['no answer', async () => undefined],
    ['an error', () => Promise.reject(new Error('refused'))],
  ])('fails for %s than the one that was expected', async (_, ask) => {
    const told = play()
    await told.expect('an answer', ask, '401')
    told.end()
    expect(process.exitCode).toBe(1)
    expect(lines.join('\n')).toMatch(/✗ {3}an answer.*but 401 was expected.*1 FAILED/s)
  })

  it('ends at once where a step cannot be done', async () => {
    const told = play()
    const exit = vi.spyOn(process, 'exit').mockImplementation((code) => {
      throw new Error(`exit ${code}`)
    })
    await expect(told.step('a step', () => Promise.reject(new Error('no')))).rejects.toThrow('exit 1')
    expect(exit).toHaveBeenCalledWith(1)
  })
})
