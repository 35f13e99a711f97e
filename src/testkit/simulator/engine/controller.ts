import type { Command } from '../../../core/rollout/command.ts'
import type { Result } from '../../../core/shared/result.ts'
import { ok } from '../../../core/shared/result.ts'
import type { Decided } from '../../../engine/decided.ts'
import type { Engine } from '../../../engine/engine.ts'
import { createFlow } from '../../../engine/flow.ts'
import { createOutbox } from '../../../engine/outbox.ts'
import type { Log } from '../../../ports/log.ts'
import type { Notifier } from '../../../ports/notifier.ts'
import type { Verifier } from '../../../ports/verifier.ts'
import { createVerifierFake } from '../../fakes/verifier.ts'
import type { Life } from './life.ts'
import { START_OF_TIME_MS } from './life.ts'
import type { LifePorts } from './ports.ts'
import type { Random } from './random.ts'
import { BAD_CHECK } from './settings.ts'
import type { Trace } from './trace.ts'
import { brief } from './trace.ts'

const OUTBOX_EVERY_MS = 500
/** Checks last so long at most, so that a controller may die in the middle of them. */
const LONGEST_CHECK_MS = 900
const JOIN_AGAIN_MS = 500
const PROBE_KEY = 'probe'
const INSTALLATION = 'simulated'

/** The shipped engine, put together as the controller process does it, in one life. */
export type SimulatedController = {
  life: Life
  ports: LifePorts
  engine: Engine
  /** As in earnest it takes requests once it has joined the store and claimed what is free. */
  serving: Promise<void>
  /** What a person asks for, as the API would hand it on. */
  handle(stream: string, command: Command): Promise<Result<Decided>>
}

export type ControllerParts = { life: Life; ports: LifePorts; random: Random; trace: Trace }

export function startController({ life, ports, random, trace }: ControllerParts): SimulatedController {
  const { clock } = life
  const { store } = ports
  const log = createLog(life, trace)
  const ended = new AbortController()
  const notifiers: Record<string, Notifier> = {}
  const { engine, ownership } = createFlow({
    ...ports,
    clock,
    log,
    providerOf: () => ports.provider,
    verifier: createVerifier(life, random.fork('checks')),
    probeKey: PROBE_KEY,
    installation: INSTALLATION,
    // No simulated configuration lets the light watch go back by itself.
    goBack: async () => ok(undefined),
    onDecided: (stream, { state: { rollout, settings } }) => {
      for (const { name } of (rollout?.settings ?? settings)?.notify ?? [])
        notifiers[`${stream}/${name}`] ??= ports.notifier(`${stream}/${name}`)
    },
    // An embedded store tells by this that another process has it; here the life would be over already.
    onFenced: () => undefined,
    signal: ended.signal,
  })

  const serving = Promise.withResolvers<void>()
  async function live(): Promise<void> {
    // The world must know of the life before it can end in its first call.
    await undefined
    const identity = { name: life.name, pid: 1, startedAt: START_OF_TIME_MS, host: life.host.name }
    while ((await store.join(identity)).kind === 'failed') await clock.sleep(JOIN_AGAIN_MS)
    while ((await ownership.leases.claim()).kind === 'failed') await clock.sleep(JOIN_AGAIN_MS)
    serving.resolve()
    void ownership.run(ended.signal)
    const outbox = createOutbox({ store, notifiers, clock, log, random: random.next })
    for (;;) {
      void outbox.runOnce(ended.signal)
      await clock.sleep(OUTBOX_EVERY_MS)
    }
  }

  void live()
  return {
    life,
    ports,
    engine,
    serving: serving.promise,
    handle: async (stream, command) => {
      const decided = await engine.handle(stream, command)
      if (decided.kind === 'ok' && command.kind === 'deploy') ownership.attend(stream)
      return decided
    },
  }
}

function createLog(life: Life, trace: Trace): Log {
  const at =
    (level: string) =>
    (message: string, fields?: Record<string, unknown>): void =>
      trace.line(life.name, () => `log ${level}: ${message} ${brief(fields)}`)
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}

/** Whoever is dead when the checks are made tells nothing of them. */
function createVerifier({ clock }: Life, random: Random): Verifier {
  const { verifier } = createVerifierFake((_, { name }) => (name === BAD_CHECK ? 'fails' : 'passes'))
  return {
    kind: verifier.kind,
    verify: async (request, signal) => {
      await clock.sleep(random.int(0, LONGEST_CHECK_MS), signal)
      return verifier.verify(request, signal)
    },
  }
}
