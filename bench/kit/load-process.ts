import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { cleanupOf } from './cleanup.ts'
import { type LoadOrder, LoadReply } from './load-messages.ts'
import { onLastCore } from './processes.ts'

const WORKER = fileURLToPath(new URL('load-worker.ts', import.meta.url))
const REPLY_LIMIT_MS = 60_000

export type LoadProcess = { ask(order: LoadOrder): Promise<LoadReply>; end(): Promise<void> }

/**
 * Open-loop load on the last core: half of the requests on connections of their own, one of ten slow. `uploads` is the
 * share, in percent, of slow uploads.
 */
export function startLoadProcess(
  url: string,
  { ratePerSecond, uploads = 0 }: { ratePerSecond: number; uploads?: number },
): LoadProcess {
  const [command, args] = onLastCore(process.execPath, [WORKER, url, String(ratePerSecond), String(uploads)])
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
