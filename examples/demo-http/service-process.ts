import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** Starts the revocation service in a process of its own. */
export async function startServiceProcess(settings: object) {
  const child = fork(fileURLToPath(new URL('./service.ts', import.meta.url)), {
    env: { ...process.env, DEMO_SETTINGS: JSON.stringify(settings) },
  })
  const port = await new Promise<number>((resolve, reject) => {
    child.once('message', (message) => resolve(Number(message)))
    child.once('exit', () => reject(new Error('The service process ended')))
  })
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    /** SIGKILL: it says goodbye to nobody. */
    async kill(): Promise<void> {
      if (child.exitCode !== null || child.signalCode !== null) return
      const ended = once(child, 'exit')
      child.kill('SIGKILL')
      await ended
    },
  }
}
