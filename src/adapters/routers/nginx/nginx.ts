import { existsSync } from 'node:fs'
import { problem } from '../../../core/shared/problem.ts'
import type { Log } from '../../../ports/log.ts'
import type { MetricAnswer } from '../../../ports/metric.ts'
import type { DataPlane } from '../../../ports/router.ts'
import { findProgram } from '../../tools/find-program.ts'
import { LogCounts } from '../../tools/log-counts.ts'
import { abilitiesOf } from './abilities.ts'
import { Lines } from './lines.ts'
import { Program } from './program.ts'
import { NginxRouter } from './router.ts'

export type NginxOptions = {
  /** For its files alone, and as long as you like. Made by the first call that needs it. */
  folder: string
  log: Log
  /** Milliseconds since 1970. */
  now: () => number
  /** Absolute path of nginx; without it the installed one. */
  binary?: string
}

/**
 * An nginx of our own as the data plane. It is started by `reconcile`, outlives this process, and is found again by the
 * next one.
 *
 * @example const { router } = createNginx({ folder: '/var/lib/sluice/nginx', log, now: Date.now })
 */
export function createNginx({ folder, log, now, binary }: NginxOptions): DataPlane {
  const found = programAt(binary)
  const program = new Program({ folder, binary: found, log })
  const counts = new LogCounts({ router: 'nginx', now })
  const lines = new Lines({ folder, counts, control: program.control, log })
  const router = new NginxRouter({
    folder,
    program,
    lines,
    counts,
    isInstalled: found !== null,
    log,
    now,
  })
  const query = async (service: string): Promise<MetricAnswer> => {
    const master = await program.master()
    if (master === null || !(await lines.account(master.id))) return unreadable(service, now())
    return counts.answer(service)
  }
  return {
    router,
    counts: { kind: 'nginx', query },
    abilities: () => abilitiesOf(found),
    async close() {
      await router.close()
      await lines.close()
    },
    end: async () => {
      const ended = await router.end()
      if (ended.kind === 'failed') log.error('nginx could not be ended', { problem: ended.problem })
    },
  }
}

/** The one that is named, if it is there, or the installed one. */
function programAt(binary: string | undefined): string | null {
  if (binary === undefined) return findProgram('nginx')
  return existsSync(binary) ? binary : null
}

const unreadable = (service: string, at: number): MetricAnswer => ({
  kind: 'failure',
  at,
  problem: problem('COUNTS_UNREADABLE', {
    message: `The counters of ${service} cannot be read from nginx.`,
    cause: 'It does not answer.',
    remedy: 'Look at error.log in its folder. The analysis waits and does not guess.',
    retryable: true,
  }),
})
