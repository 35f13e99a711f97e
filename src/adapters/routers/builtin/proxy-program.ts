import * as z from 'zod'
import { problem } from '../../../core/shared/problem.ts'
import { type ProxyWorkers, proxyProcesses } from '../../../core/shared/proxy-workers.ts'
import { failed, ok, type Result } from '../../../core/shared/result.ts'
import type { ProxyProgram } from '../../../ports/proxy.ts'
import { ControlClient } from './control-client.ts'

export type ProxyProgramOptions = {
  socket: string
  /** What is started: program and first words; those of the running proxy follow. */
  program: readonly string[]
  /** Of this program. */
  version: string
  /** Where the number of processes is kept. */
  kept: { read(): ProxyWorkers; write(workers: ProxyWorkers): void }
  /** That processes may use here. */
  cores: number
}

/** The new program has to load (20 s at most), to become ready (10 s), and to take everything over (10 s). */
const UPGRADE_TIMEOUT_MS = 45_000

const Livez = z.object({
  pid: z.int(),
  version: z.string().nullable().default(null),
  leaving: z.int().nonnegative().default(0),
  workers: z.object({ asked: z.int(), pids: z.array(z.int()) }).default({ asked: 1, pids: [] }),
})
const HandedOver = z.object({ pid: z.int(), version: z.string() })

export function createProxyProgram({
  socket,
  program,
  version,
  kept,
  cores,
}: ProxyProgramOptions): ProxyProgram {
  const control = new ControlClient(socket)
  return {
    installed: version,
    async info() {
      const info = understood(Livez, await control.call({ method: 'GET', path: '/livez' }))
      if (info.kind === 'failed') return info
      const { workers, ...rest } = info.value
      return ok({ ...rest, processes: { asked: workers.asked, serving: workers.pids.length + 1 } })
    },
    get workers() {
      return kept.read()
    },
    keep: (workers) => kept.write(workers),
    processesFor: (workers) => proxyProcesses(workers, cores),
    async upgrade(workers) {
      const answer = await control.call({
        method: 'POST',
        path: '/upgrade',
        body: { program: [...program, '--workers', `${workers}`] },
        timeoutMs: UPGRADE_TIMEOUT_MS,
      })
      if (answer.kind === 'failed' && answer.problem.code === 'CONTROL_UNKNOWN')
        return failed(cannotHandOver())
      return understood(HandedOver, answer)
    },
  }
}

function understood<T>(shape: z.ZodType<T>, answer: Result<unknown>): Result<T> {
  if (answer.kind === 'failed') return answer
  const parsed = shape.safeParse(answer.value)
  return parsed.success ? ok(parsed.data) : failed(cannotHandOver())
}

const cannotHandOver = () =>
  problem('PROXY_UPGRADE_UNKNOWN', {
    message: 'The proxy that runs is of a version that cannot hand over to another one. It serves on.',
    remedy: 'Stop everything in a quiet hour and start it again: sluice down, then sluice up.',
  })
