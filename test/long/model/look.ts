import { expect } from 'vitest'
import type { ActionView, ServiceView } from '../../../src/core/rollout/view/view.ts'
import type { RouterState } from '../../../src/core/shared/router-state.ts'
import type { Entry } from '../../live/kit/journal.ts'
import { eventually } from '../../live/kit/settle.ts'
import { NEVER_READY, routesNow, type Shop } from './shop.ts'

/** One look at the installation, as a user has it. */
export type Look = { view: ServiceView; routes: RouterState }

const FULL_PERMILLE = 1000

/** Looks, and holds what is seen to what is always true. */
export async function look(shop: Shop): Promise<Look> {
  const view = await eventually('the controller', () => shop.stack.view())
  const routes = await routesNow(shop)
  const seen = { view, routes }
  expectAlwaysTrue(shop, seen)
  return seen
}

function expectAlwaysTrue({ outcomes }: Shop, { view, routes }: Look): void {
  const { rollout, sets, actions } = view
  for (const { name, allowed, whyNot } of actions) expect(allowed, `${name}: ${whyNot}`).toBe(whyNot === null)
  if (rollout !== null && rollout.outcome === null)
    expect(rollout.waitingOn, `${rollout.sentence}: nobody can say what it waits for`).not.toBeNull()
  if (rollout !== null && rollout.outcome !== null) {
    expect(outcomes.get(rollout.id) ?? rollout.outcome, `${rollout.id} ended twice`).toBe(rollout.outcome)
    outcomes.set(rollout.id, rollout.outcome)
  }
  expect(sets.filter(({ role }) => role === 'candidate').length).toBeLessThanOrEqual(1)
  expect(sets.filter(({ role }) => role === 'stable').length).toBeLessThanOrEqual(1)
  const shares = routes.sets.map(({ weightPermille }) => weightPermille)
  expect(shares.reduce((sum, share) => sum + share, 0)).toBe(FULL_PERMILLE)
  const early = routes.sets.find(({ version }) => version === NEVER_READY)
  expect(early?.weightPermille ?? 0, 'a version that never was ready has traffic').toBe(0)
}

/** Not mere news about what was known already. */
const NEWS = new Set<Entry['event']['kind']>([
  'metrics-observed',
  'instances-observed',
  'busy-observed',
  'routes-confirmed',
  'set-asserted',
  'part-seen',
  'let-go-accepted',
])

/** Events that may change what a person may do, after one revision and up to another. */
export const changesBetween = ({ stack }: Shop, after: number, upTo: number): Entry[] =>
  stack
    .journal()
    .filter(({ sequence, event }) => sequence > after && sequence <= upTo && !NEWS.has(event.kind))

export const allows = ({ view }: Look, name: ActionView['name']): boolean =>
  view.actions.some((action) => action.name === name && action.allowed)
