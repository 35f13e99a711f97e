import type { Step } from '../plan/plan.ts'
import { shareOf } from '../release/ab-settings.ts'
import type { ServiceSettings } from '../release/settings.ts'
import type { AbSettings } from '../release/strategy-settings.ts'
import { allTraffic, arrival, farewell, provision, verification } from './steps.ts'

/** All variants at once and for the whole time, since shares that change would make the result worth nothing; then a person decides. */
export const abSteps = (settings: ServiceSettings, { variants, forMs, atEnd }: AbSettings): Step[] => [
  provision(settings),
  ...verification(settings, 'before'),
  { kind: 'traffic', weightPermille: shareOf(variants) },
  { kind: 'observe', durationMs: forMs, criteria: {} },
  ...decision(atEnd),
  allTraffic,
  ...arrival(settings),
  ...farewell(settings),
]

const decision = (atEnd: AbSettings['atEnd']): Step[] =>
  atEnd === 'ask' ? [{ kind: 'gate', durationMs: null }] : []
