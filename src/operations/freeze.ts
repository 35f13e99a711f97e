import * as z from 'zod'
import type { Command } from '../core/rollout/command.ts'
import { Freeze } from '../core/shared/freeze.ts'
import type { Result } from '../core/shared/result.ts'
import { ok } from '../core/shared/result.ts'
import type { OperationContext } from './context.ts'
import { operationOf } from './context.ts'
import { FutureTime, futureTime } from './future-time.ts'

const EnvironmentInput = z.strictObject({
  environment: z.string().default('local').describe('Environment; `local` when none is named.'),
})

export const FreezeOutput = z.object({
  environment: z.string(),
  freeze: Freeze.nullable(),
  /** Services that heard of it at once; the others do at their next look. */
  streams: z.array(z.string()),
})

export const freeze = operationOf({
  name: 'freeze',
  summary:
    'Let nothing new begin in an environment. Rollouts in progress hold or return, as configured; rollback and abort stay possible.',
  input: EnvironmentInput.extend({
    reason: z.string().min(1).max(2000).describe('Why; shown to everybody who waits.'),
    until: FutureTime.describe('When it ends by itself; without it somebody has to lift it.'),
  }),
  output: FreezeOutput,
  permission: 'operate',
  run: async (context, { environment, reason, until }, caller) => {
    const since = context.clock.now()
    const end = futureTime(until, since)
    if (end.kind === 'failed') return end
    return freezeEnvironment(context, {
      environment,
      by: caller.name,
      freeze: { reason, who: caller.name, since, until: end.value },
    })
  },
})

export const unfreeze = operationOf({
  name: 'unfreeze',
  summary: 'Lift the freeze of an environment: what was held goes on, what waited begins.',
  input: EnvironmentInput,
  output: FreezeOutput,
  permission: 'operate',
  run: (context, { environment }, caller) =>
    freezeEnvironment(context, { environment, by: caller.name, freeze: null }),
})

/** As much as a freeze needs. */
export type FreezeContext = Pick<OperationContext, 'freezes' | 'attend' | 'inTurn'> & {
  clock: Pick<OperationContext['clock'], 'now'>
  store: Pick<OperationContext['store'], 'streams'>
  engine: { handle(stream: string, command: Command): Promise<Result<unknown>> }
}

/** Written first, then told: a controller that dies in between hears of it at its next look. */
export async function freezeEnvironment(
  context: FreezeContext,
  { environment, by, freeze: said }: { environment: string; by: string; freeze: Freeze | null },
): Promise<Result<z.infer<typeof FreezeOutput>>> {
  return context.inTurn(`freeze ${environment}`, async () => {
    const before = await context.freezes.read(environment)
    const heardLast = before.kind === 'ok' ? before.value.asOf : 0
    const seen = { freeze: said, by, asOf: Math.max(context.clock.now(), heardLast + 1) }
    const set = await context.freezes.set(environment, seen)
    if (set.kind === 'failed') return set
    const known = await context.store.streams()
    if (known.kind === 'failed') return known
    const streams = known.value.filter((stream) => stream.endsWith(`.${environment}`))
    for (const stream of streams) {
      const decided = await context.engine.handle(stream, { kind: 'freeze-seen', seen })
      if (decided.kind === 'failed') return decided
      context.attend(stream)
    }
    return ok({ environment, freeze: said, streams })
  })
}
