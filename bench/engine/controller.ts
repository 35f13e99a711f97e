import { createFreezes } from '../../src/adapters/freezes/documents/freezes.ts'
import { systemClock } from '../../src/controller/clock.ts'
import { ok } from '../../src/core/shared/result.ts'
import type { Decided } from '../../src/engine/decided.ts'
import type { Engine } from '../../src/engine/engine.ts'
import { createFlow } from '../../src/engine/flow.ts'
import { createOutbox } from '../../src/engine/outbox.ts'
import type { Clock } from '../../src/ports/clock.ts'
import type { Log } from '../../src/ports/log.ts'
import type { MetricSource } from '../../src/ports/metric.ts'
import type { Prober } from '../../src/ports/prober.ts'
import type { Store } from '../../src/ports/store.ts'
import { createMetricProviderFake } from '../../src/testkit/fakes/metric-provider.ts'
import { createVerifierFake } from '../../src/testkit/fakes/verifier.ts'
import type { Worlds } from './worlds.ts'

const OUTBOX_EVERY_MS = 500
const PROBE_KEY = 'bench'

export type ControllerParts = {
  store: Store
  worlds: Worlds
  metrics: MetricSource
  onDecided(stream: string, decided: Decided): void
  clock?: Clock
}
export type Controller = {
  engine: Engine
  attend(stream: string): void
  /** Gives the leases back. */
  end(): Promise<void>
}

/** The shipped engine over its shipped store, put together as the controller process does it; what is around it is fake. */
export async function startController(parts: ControllerParts): Promise<Controller> {
  const { store, worlds, metrics, onDecided, clock = systemClock } = parts
  const freezes = createFreezes(store)
  const { target, router } = worlds
  const routerOf = () => ({ router, counts: metrics })
  const ended = new AbortController()
  const { engine, ownership } = createFlow({
    store,
    target,
    routerOf,
    clock,
    log,
    prober,
    freezes,
    // No rollout of the bench declares metrics.
    providerOf: () => createMetricProviderFake().provider,
    // No rollout of the bench has checks.
    verifier: createVerifierFake().verifier,
    probeKey: PROBE_KEY,
    installation: 'bench',
    // No release of the bench gets so far that the light watch would ask for it.
    goBack: async () => ok(undefined),
    onDecided,
    onFenced: () => log.error('this controller lost its store'),
    signal: ended.signal,
  })
  const claimed = await ownership.leases.claim()
  if (claimed.kind === 'failed') throw new Error(claimed.problem.message)
  const running = Promise.all([ownership.run(ended.signal), deliver(store, clock, ended.signal)])
  return {
    engine,
    attend: ownership.attend,
    end: async () => {
      ended.abort()
      await running
      await store.close()
    },
  }
}

async function deliver(store: Store, clock: Clock, signal: AbortSignal): Promise<void> {
  const outbox = createOutbox({ store, notifiers: {}, clock, log, random: Math.random })
  while (!signal.aborted) {
    void outbox.runOnce(signal)
    await clock.sleep(OUTBOX_EVERY_MS, signal)
  }
}

/** Sends nothing: there is no data plane to send it to. */
const prober: Prober = {
  kind: 'fake',
  start: () => ({ totals: () => ({ sent: 0, lost: 0 }), stop: () => undefined }),
}

const TOLD_AT_MOST = 20
let told = 0

function tell(message: string, fields?: Record<string, unknown>): void {
  told += 1
  if (told > TOLD_AT_MOST) return
  process.stderr.write(`${message} ${JSON.stringify(fields ?? {}).slice(0, 400)}\n`)
  if (told === TOLD_AT_MOST) process.stderr.write('What else went wrong is not shown.\n')
}

/** Nothing is expected to go wrong here, so what does is shown. */
const log: Log = { debug: () => undefined, info: () => undefined, warn: tell, error: tell }
