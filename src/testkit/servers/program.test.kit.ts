import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { freePort } from '../free-port.ts'

const READY_MS = 60_000
const POLL_MS = 50

/** Where the program is, or `null`. */
export const findProgram = (name: string): string | null =>
  (process.env.PATH ?? '')
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find((file) => existsSync(file)) ?? null

export type RunningServer = { address: string; dispose(): Promise<void> }
export type ServerPlan = {
  name: string
  program: string
  /** Writes what it needs into its scratch folder, and says how it is called. */
  argumentsIn(folder: string, port: number): string[]
  isReady(address: string): Promise<boolean>
}

/** A server of its own in a scratch folder, on a free port of this machine, gone without a trace afterwards. */
export async function startServer({
  name,
  program,
  argumentsIn,
  isReady,
}: ServerPlan): Promise<RunningServer> {
  const folder = mkdtempSync(join(tmpdir(), `sluice-${name}-`))
  const port = await freePort()
  const address = `http://127.0.0.1:${port}`
  const child = spawn(program, argumentsIn(folder, port), { cwd: folder, stdio: 'ignore' })
  const lastResort = () => child.kill('SIGKILL')
  process.once('exit', lastResort)
  await ready(child, () => isReady(address), name)
  return {
    address,
    dispose: async () => {
      process.off('exit', lastResort)
      const exited = child.exitCode === null ? once(child, 'exit') : null
      child.kill('SIGKILL')
      await exited
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

async function ready(child: ChildProcess, isReady: () => Promise<boolean>, name: string): Promise<void> {
  const deadline = performance.now() + READY_MS
  while (!(await isReady().catch(() => false))) {
    if (performance.now() > deadline || child.exitCode !== null) {
      child.kill('SIGKILL')
      throw new Error(`${name} did not start`)
    }
    await delay(POLL_MS)
  }
}
