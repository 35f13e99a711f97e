import type { ServiceSettings } from '../core/release/settings.ts'
import type { RollingSettings, StageCriteria } from '../core/release/strategy-settings.ts'
import { DEFAULT_ROLLING } from './defaults.ts'
import type { LayeredReader } from './layers.ts'
import type { Overrides } from './schema.ts'
import type { CountOrPercent } from './schema-rolling.ts'
import type { RollingSection } from './schema-strategy.ts'
import { msOf } from './units.ts'

const PATH = 'strategy.rolling'

type Batches = Omit<
  RollingSettings,
  keyof Pick<ServiceSettings['strategy'], 'watchMs' | 'lightWatch' | 'holdMs' | 'readyPercent'>
>

export function rollingIn(strategy: Overrides['strategy']): RollingSection | undefined {
  if (strategy === undefined || typeof strategy === 'string') return undefined
  return strategy.rolling
}

/** Parts of the replicas become numbers here, so that a release says what it does. */
export function batchesOf(
  reader: LayeredReader,
  criteriaOf: (criteria: RollingSection['criteria']) => StageCriteria,
): Batches {
  const key = <K extends keyof RollingSection>(name: K) =>
    reader.find(`${PATH}.${name}`, ({ strategy }) => rollingIn(strategy)?.[name])
  const replicas = reader.pick('run.replicas', ({ run }) => run?.replicas)
  const counted = (count: CountOrPercent, round: (value: number) => number): number =>
    count.kind === 'count' ? count.count : round((replicas * count.percent) / 100)
  const { surge, unavailable, pause } = DEFAULT_ROLLING
  const [minHealthy, chosenPause, atMostMs] = [key('minHealthy'), key('pause'), key('atMost')]
  return {
    kind: 'rolling',
    surge: counted(key('surge') ?? { kind: 'count', count: surge }, Math.ceil),
    unavailable: counted(key('unavailable') ?? { kind: 'count', count: unavailable }, Math.floor),
    minHealthy: minHealthy === undefined ? null : counted(minHealthy, Math.ceil),
    pauseMs: chosenPause === undefined ? msOf(pause) : chosenPause,
    ...(atMostMs === undefined ? {} : { atMostMs }),
    criteria: criteriaOf(key('criteria')),
  }
}
