import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { cleanupOf } from '../../kit/cleanup.ts'
import { commandAt, type Rank } from '../place.ts'
import { type OpenLoopOrder, OpenLoopReply } from './messages.ts'

const CLIENT = fileURLToPath(new URL('client.ts', import.meta.url))
/**
 * The client must not pause. Helper threads of V8 would share the core with its main thread in equal rank, and the one
 * wait for the other until the end of its turn (100 ms). A young generation larger than what a measurement leaves behind,
 * emptied before each, needs no collection in between.
 */
const FLAGS = ['--single-threaded', '--expose-gc', '--min-semi-space-size=64', '--max-semi-space-size=64']
/** A server that is this late has failed. */
const GRACE_MS = 20_000

type Measured = Extract<OpenLoopReply, { kind: 'measured' }>
export type OpenLoop = { measure(order: OpenLoopOrder): Promise<Measured>; end(): Promise<void> }

/** The load client on the core of the origin. It stays warm from one measurement to the next. */
export function startOpenLoop(rank: Rank): OpenLoop {
  const [command, args] = commandAt({ core: '1', rank }, process.execPath, [...FLAGS, CLIENT])
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  const exited = once(child, 'exit')
  async function measure(order: OpenLoopOrder): Promise<Measured> {
    const limitMs = (order.requests / order.ratePerSecond) * 1_000 + GRACE_MS
    const answer = once(child, 'message', { signal: AbortSignal.timeout(limitMs) })
    child.send(order)
    const reply = OpenLoopReply.parse((await answer)[0])
    if (reply.kind === 'failed') throw new Error(`The load client stopped: ${reply.why}`)
    return reply
  }
  async function end(): Promise<void> {
    child.kill('SIGKILL')
    if (child.exitCode === null && child.signalCode === null) await exited
  }
  return { measure, end: cleanupOf(end) }
}
