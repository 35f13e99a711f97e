import type { Log } from '../../../ports/log.ts'
import type { DataPlane } from '../../../ports/router.ts'
import { FEATURES, NOTES } from './cannot.ts'
import { Keeper } from './keeper.ts'
import { LogStream } from './log-stream.ts'
import { type Ask, masterOf } from './master.ts'
import { Program } from './program.ts'

export type HaproxyOptions = {
  /** A private folder of its own: configuration, maps, sockets, routes. Made when it is needed. */
  folder: string
  log: Log
  /** Milliseconds since 1970. */
  now: () => number
  /** Found in PATH and the usual places where it is left out. */
  binary?: string
  /** How HAProxy is asked; for tests. */
  ask?: Ask
}

/**
 * HAProxy as the data plane: a program of ours, beside any that the system runs, changed over its own socket. What it runs
 * with is in `folder`, and nothing outside of it is touched.
 *
 * @example
 * const { router } = createHaproxy({ folder: '.sluice/haproxy', log, now: Date.now })
 * await router.reconcile()
 */
export function createHaproxy({
  folder,
  log,
  now,
  binary,
  ask = masterOf(folder),
}: HaproxyOptions): DataPlane {
  const program = new Program({ folder, binary, ask })
  const stream = new LogStream({ folder, log, now })
  const keeper = new Keeper({
    folder,
    program,
    log,
    now,
    onWorker: (worker) => stream.follow(worker),
    onKept: (kept) => stream.learn(kept),
    onSight: (kept, sight) => stream.see(kept, sight),
    limitedOf: (service) => stream.limitedOf(service),
  })
  return {
    router: {
      kind: 'haproxy',
      reconcile: () => keeper.reconcile(),
      setRoutes: (routes) => keeper.setRoutes(routes),
      readState: (service) => keeper.readState(service),
      finalize: (request) => keeper.finalize(request),
    },
    counts: stream.source(keeper, now),
    abilities: async () => {
      const version = await program.version()
      return {
        router: 'haproxy',
        version: version.kind === 'ok' ? version.value : null,
        problem: version.kind === 'ok' ? null : version.problem,
        features: FEATURES,
        notes: NOTES,
      }
    },
    close: async () => {
      await keeper.close()
      stream.close()
    },
    end: async () => {
      const ended = await keeper.end()
      if (ended.kind === 'failed') log.error('haproxy was not ended', { problem: ended.problem })
    },
  }
}
