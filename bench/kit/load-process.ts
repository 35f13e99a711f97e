import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { cleanupOf } from './cleanup.ts'
import { type LoadOrder, LoadReply } from './load-messages.ts'
import { onLastCore } from './processes.ts'

const WORKER = fileURLToPath(new URL('load-worker.ts', import.meta.url))
const REPLY_LIMIT_MS = 60_000

/** `uploads` is the share of slow uploads, in percent; `sendAgain` as `startLoad` has it. */
export type LoadKind = { ratePerSecond: number; uploads?: number; sendAgain?: boolean }
export type LoadProcess = { ask(order: LoadOrder): Promise<LoadReply>; end(): Promise<void> }

/**
 * Open-loop load on the last core: half of the requests on connections of their own, one of ten slow.
 */
export function startLoadProcess(
  url: string,
  { ratePerSecond, uploads = 0, sendAgain = false }: LoadKind,
): LoadProcess {
  const words = [url, ratePerSecond, uploads, sendAgain].map(String)
  const [command, args] = onLastCore(process.execPath, [WORKER, ...words])
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  const exited = once(child, 'exit')
  async function ask(order: LoadOrder): Promise<LoadReply> {
    const reply = once(child, 'message', { signal: AbortSignal.timeout(REPLY_LIMIT_MS) })
    child.send(order)
    return LoadReply.parse((await reply)[0])
  }
  async function end(): Promise<void> {
    child.kill('SIGKILL')
    if (child.exitCode === null && child.signalCode === null) await exited
  }
  return { ask, end: cleanupOf(end) }
}
