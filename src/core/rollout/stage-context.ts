import type { Step } from '../plan/plan.ts'

/**
 * `looked`: this moment follows a look at the world. Time alone moves nothing: after an hour without a controller the
 * world is looked at first. `obeyed`: the highest sequence that the target had obeyed when it was looked at, so that a look
 * from before an order is known as such; without limit where the target does not tell, `null` where it was not seen.
 */
export type Moment = { now: number; looked: boolean; obeyed: number | null }
export type StageContext<K extends Step['kind'] = Step['kind']> = Moment & {
  step: Extract<Step, { kind: K }>
  startedAt: number
}
