import type { EngineObserver } from '../ports/engine-observer.ts'
import type { Audience } from './audience.ts'
import { createAudience } from './audience.ts'
import type { Decided } from './decided.ts'
import { answerCommand, createEffectRunner, type EffectParts } from './effects.ts'
import type { Engine } from './engine.ts'
import { createEngine, type EngineParts } from './engine.ts'
import type { Ownership, OwnershipParts } from './ownership.ts'
import { createOwnership } from './ownership.ts'
import { createPerformer } from './perform.ts'

type LookedAfter = Omit<ReturnType<OwnershipParts['watchParts']>, 'engine' | 'onLook'>

export type FlowParts = LookedAfter &
  Omit<EffectParts, 'epochOf'> &
  Pick<EngineParts, 'installation'> & {
    observer?: EngineObserver
    /** Told after each append, in order per stream. */
    onDecided(stream: string, decided: Decided): void
    /** An embedded store was taken by somebody else: there is nothing left to do here. */
    onFenced(): void
    /** From its end on no answer of an effect is decided any more. */
    signal: AbortSignal
  }

export type Flow = { engine: Engine; ownership: Ownership; audience: Audience }

/** The engine and those around it that need each other: who looks after what, who performs, who is told. */
export function createFlow(parts: FlowParts): Flow {
  const { signal, onDecided, onFenced } = parts
  const audience = createAudience(parts.clock)
  const ownership = createOwnership({
    ...parts,
    audience,
    engine: () => engine,
    watchParts: () => ({ ...parts, engine, onLook: audience.looked }),
    onFenced: () => {
      if (!signal.aborted) onFenced()
    },
  })
  const { epochOf } = ownership.leases
  const performer = createPerformer({
    ...parts,
    run: createEffectRunner({ ...parts, epochOf }),
    answer: (stream, effect, result) => {
      if (signal.aborted) return
      void engine.handle(stream, answerCommand(effect, result)).then(() => ownership.nudge(stream))
    },
  })
  const engine: Engine = createEngine({
    ...parts,
    performer,
    epochOf,
    onFenced: ownership.leases.lost,
    onDecided: (stream, decided) => {
      audience.decided(stream, decided)
      onDecided(stream, decided)
    },
  })
  return { engine, ownership, audience }
}
