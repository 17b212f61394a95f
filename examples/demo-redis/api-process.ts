import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** Starts an API in a process of its own, and gives a way to call it. By default it is the one over Redis. */
export async function startApiProcess(settings: object, script = new URL('./api.ts', import.meta.url)) {
  const child = fork(fileURLToPath(script), {
    env: { ...process.env, DEMO_SETTINGS: JSON.stringify(settings) },
  })
  const port = await new Promise<unknown>((resolve, reject) => {
    child.once('message', resolve)
    child.once('exit', () => reject(new Error('The API process ended')))
  })
  const url = `http://127.0.0.1:${port}`

  return {
    /** The status of the answer, with OAuth's error code or Retry-After if it is a refusal. */
    async get(token: string): Promise<string> {
      const response = await fetch(`${url}/me`, { headers: { authorization: `Bearer ${token}` } })
      const { error } = (await response.json()) as { error?: string }
      const retryAfter = response.headers.get('retry-after')
      return [response.status, error, retryAfter && `retry after ${retryAfter} s`].filter(Boolean).join(' ')
    },
    async logout(refreshToken: string): Promise<void> {
      const response = await fetch(`${url}/logout`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ refreshToken }),
      })
      if (response.status !== 204) throw new Error(`the logout was answered with ${response.status}`)
    },
    stop: () => child.kill(),
  }
}
