import { ServiceView } from '../core/rollout/view/view.ts'
import { problem } from '../core/shared/problem.ts'
import { failed, ok, type Result } from '../core/shared/result.ts'
import type { Client } from './client.ts'
import { addressOf, type Session } from './session.ts'

/** Stands for the rollout that goes on, or the one that was last. */
export const LAST = 'last'

/** The id of the rollout that was typed. */
export async function rolloutNamed(session: Session, client: Client, typed: string): Promise<Result<string>> {
  if (typed !== LAST) return ok(typed)
  const view = await client.call('get_service', addressOf(session), ServiceView)
  if (view.kind === 'failed') return view
  const { rollout, service, environment } = view.value
  if (rollout !== null) return ok(rollout.id)
  return failed(
    problem('ROLLOUT_NOT_FOUND', {
      message: `${service} had no rollout in ${environment} yet.`,
      remedy: 'Run `sluice deploy VERSION` first.',
    }),
  )
}
