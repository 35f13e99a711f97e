import type { Step } from '../plan/plan.ts'

/**
 * `looked`: this moment follows a look at the world. Time alone moves nothing: after an hour without a controller the
 * world is looked at first.
 */
export type Moment = { now: number; looked: boolean }
export type StageContext<K extends Step['kind'] = Step['kind']> = Moment & {
  step: Extract<Step, { kind: K }>
  startedAt: number
}
