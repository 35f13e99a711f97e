import * as z from 'zod'
import { problem } from '../../../core/shared/problem.ts'
import { failed, ok, type Result } from '../../../core/shared/result.ts'
import type { ProxyProgram } from '../../../ports/proxy.ts'
import { ControlClient } from './control-client.ts'

export type ProxyProgramOptions = {
  socket: string
  /** What is started: program and first words; those of the running proxy follow. */
  program: readonly string[]
  /** Of this program. */
  version: string
}

/** The new program has to load (20 s at most), to become ready (10 s), and to take everything over (10 s). */
const UPGRADE_TIMEOUT_MS = 45_000

const Livez = z.object({
  pid: z.int(),
  version: z.string().nullable().default(null),
  leaving: z.int().nonnegative().default(0),
})
const HandedOver = z.object({ pid: z.int(), version: z.string() })

export function createProxyProgram({ socket, program, version }: ProxyProgramOptions): ProxyProgram {
  const control = new ControlClient(socket)
  return {
    installed: version,
    async info() {
      return understood(Livez, await control.call({ method: 'GET', path: '/livez' }))
    },
    async upgrade() {
      const answer = await control.call({
        method: 'POST',
        path: '/upgrade',
        body: { program },
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
