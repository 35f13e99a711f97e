import type {
  AbSettings,
  BlueGreenSettings,
  CanarySettings,
  CanaryStep,
  RecreateSettings,
  RollingSettings,
  ShadowSettings,
  StageCriteria,
  StrategySettings,
} from '../core/release/strategy-settings.ts'
import { TOTAL_PERMILLE } from '../core/shared/weight.ts'
import { DEFAULT_BLUE_GREEN, DEFAULT_LIGHT_WATCH, DEFAULT_STEP_PAUSE, DEFAULTS } from './defaults.ts'
import type { LayeredReader } from './layers.ts'
import { LAST_STEP, type PresetName, presetSteps } from './presets.ts'
import { abIn, abTestOf } from './resolve-ab.ts'
import { recreateIn, retryAfterOf } from './resolve-recreate.ts'
import { batchesOf, rollingIn } from './resolve-rolling.ts'
import { SHADOW_PATH, shadowIn, shadowTestOf } from './resolve-shadow.ts'
import { sideOf, stickyOf } from './resolve-side.ts'
import type { Overrides } from './schema.ts'
import type { ArrivalKeys, RiseSection, StrategyObject } from './schema-strategy.ts'
import { msOf } from './units.ts'

type Strategy = Overrides['strategy']
type StrategyName = keyof StrategyObject
type Section<K extends StrategyName> = Exclude<NonNullable<StrategyObject[K]>, string>

/** The highest layer that names a strategy decides which it is; its settings come from all layers that name the same one. */
export function strategyOf(reader: LayeredReader, production: boolean): StrategySettings {
  const name = reader.pick('strategy', nameOf)
  reader.origins.delete('strategy')
  switch (name) {
    case 'blueGreen':
      return blueGreenOf(reader, production)
    case 'rolling':
      return rollingOf(reader, production)
    case 'shadow':
      return shadowOf(reader, production)
    case 'recreate':
      return recreateOf(reader, production)
    case 'ab':
      return abOf(reader, production)
    case 'canary':
      return canaryOf(reader, production)
  }
}

function nameOf(strategy: { strategy?: Strategy }): StrategyName | undefined {
  const { strategy: chosen } = strategy
  if (chosen === undefined || typeof chosen === 'string') return chosen
  if (chosen.blueGreen !== undefined) return 'blueGreen'
  if (chosen.ab !== undefined) return 'ab'
  if (chosen.shadow !== undefined) return 'shadow'
  if (chosen.recreate !== undefined) return 'recreate'
  return chosen.rolling === undefined ? 'canary' : 'rolling'
}

const canaryOf = (reader: LayeredReader, production: boolean): CanarySettings => ({
  kind: 'canary',
  steps: stepsOf(reader, 'strategy.canary', canaryIn),
  earliestMs: reader.pick('strategy.canary.earliest', ({ strategy }) => canaryIn(strategy)?.earliest),
  ...(reader.find('strategy.canary.instances', ({ strategy }) => canaryIn(strategy)?.instances) === 'share'
    ? { instances: 'share' as const }
    : {}),
  ...sideOf(reader, { path: 'strategy.canary', sectionIn: canaryIn }),
  ...stickyOf(reader, { path: 'strategy.canary', sectionIn: canaryIn }),
  ...arrivalOf(reader, { production, path: 'strategy.canary', sectionIn: canaryIn }),
})

const abOf = (reader: LayeredReader, production: boolean): AbSettings => ({
  kind: 'ab',
  ...abTestOf(reader),
  ...arrivalOf(reader, { production, path: 'strategy.ab', sectionIn: abIn }),
})

function canaryIn(strategy: Strategy): Section<'canary'> | undefined {
  if (strategy === undefined || typeof strategy === 'string') return undefined
  return typeof strategy.canary === 'string' ? { preset: strategy.canary } : strategy.canary
}

function blueGreenOf(reader: LayeredReader, production: boolean): BlueGreenSettings {
  const path = 'strategy.blueGreen'
  const key = <K extends keyof Section<'blueGreen'>>(name: K) =>
    reader.find(`${path}.${name}`, ({ strategy }) => blueGreenIn(strategy)?.[name])
  const { warm, warmInProduction, switch: switched } = DEFAULT_BLUE_GREEN
  const afterSwitch = key('switch')
  return {
    kind: 'blue-green',
    ...riseAfter(reader, `${path}.canary`, (strategy) => blueGreenIn(strategy)?.canary),
    switchAfterMs: afterSwitch === undefined ? msOf(switched) : afterSwitch,
    previewReplicas: key('previewReplicas') ?? null,
    ...sideOf(reader, { path, sectionIn: blueGreenIn }),
    warmMs: key('warm') ?? msOf(production ? warmInProduction : warm),
    ...arrivalOf(reader, { production, path, sectionIn: blueGreenIn }),
  }
}

/** A candidate that went back is not held: there is room for the surge alone. */
const rollingOf = (reader: LayeredReader, production: boolean): RollingSettings => ({
  ...batchesOf(reader, criteriaOf),
  ...arrivalOf(reader, { production, path: 'strategy.rolling', sectionIn: rollingIn }),
  holdMs: 0,
})

/** A candidate that went back is not held: what it holds is what stable needs. */
const recreateOf = (reader: LayeredReader, production: boolean): RecreateSettings => ({
  kind: 'recreate',
  ...retryAfterOf(reader),
  ...arrivalOf(reader, { production, path: 'strategy.recreate', sectionIn: recreateIn }),
  holdMs: 0,
})

const shadowOf = (reader: LayeredReader, production: boolean): ShadowSettings => ({
  kind: 'shadow',
  ...riseAfter(reader, `${SHADOW_PATH}.canary`, (strategy) => shadowIn(strategy)?.canary),
  ...shadowTestOf(reader),
  criteria: criteriaOf(
    reader.find(`${SHADOW_PATH}.criteria`, ({ strategy }) => shadowIn(strategy)?.criteria),
  ),
  ...arrivalOf(reader, { production, path: SHADOW_PATH, sectionIn: shadowIn }),
})

function blueGreenIn(strategy: Strategy): Section<'blueGreen'> | undefined {
  if (strategy === undefined || typeof strategy === 'string') return undefined
  return strategy.blueGreen
}

/** One switch, unless the file asks for the steps of a canary. */
function riseAfter(
  reader: LayeredReader,
  path: string,
  chosenIn: Found<PresetName | RiseSection>,
): Pick<BlueGreenSettings, 'steps' | 'earliestMs'> {
  const riseIn = (strategy: Strategy): RiseSection | undefined => {
    const rise = chosenIn(strategy)
    return typeof rise === 'string' ? { preset: rise } : rise
  }
  const isAsked = reader.find(path, ({ strategy }) => riseIn(strategy)) !== undefined
  reader.origins.delete(path)
  if (!isAsked) return { steps: [LAST_STEP], earliestMs: null }
  const earliest = reader.find(`${path}.earliest`, ({ strategy }) => riseIn(strategy)?.earliest)
  return { steps: stepsOf(reader, path, riseIn), earliestMs: earliest ?? null }
}

type Found<S> = (strategy: Strategy) => S | undefined

function stepsOf(reader: LayeredReader, path: string, riseIn: Found<RiseSection>): CanaryStep[] {
  const place = `${path}.steps`
  const chosen = reader.find(place, ({ strategy }) => stepsIn(riseIn(strategy)))
  const preset = chosen === undefined ? DEFAULTS.strategy.canary.preset : chosen.preset
  if (preset !== null) nameThePreset(reader, place, preset)
  return chosen?.list ?? presetSteps(DEFAULTS.strategy.canary.preset)
}

function stepsIn(
  rise: RiseSection | undefined,
): { preset: PresetName | null; list: CanaryStep[] } | undefined {
  if (rise?.preset !== undefined) return { preset: rise.preset, list: presetSteps(rise.preset) }
  if (rise?.steps === undefined) return undefined
  const list = rise.steps.map(stepOf)
  return { preset: null, list: list.at(-1)?.weightPermille === TOTAL_PERMILLE ? list : [...list, LAST_STEP] }
}

const stepPauseMs = msOf(DEFAULT_STEP_PAUSE)

function stepOf({ weight, pause, atMost, criteria }: NonNullable<RiseSection['steps']>[number]): CanaryStep {
  return {
    weightPermille: weight,
    pauseMs: weight === TOTAL_PERMILLE ? 0 : pause === undefined ? stepPauseMs : pause,
    ...(atMost === undefined ? {} : { atMostMs: atMost }),
    criteria: criteriaOf(criteria),
  }
}

type CriteriaSection = NonNullable<RiseSection['steps']>[number]['criteria']

function criteriaOf(criteria: CriteriaSection = {}): StageCriteria {
  const { errorRate, successRate, p99, p95, p50, errorPointsOverStable, throughput } = criteria
  const { consecutivePasses, failureLimit } = criteria
  return {
    ...(errorRate === undefined ? {} : { errorRatePercent: errorRate }),
    ...(successRate === undefined ? {} : { successRatePercent: successRate }),
    ...(p99 === undefined ? {} : { p99Ms: p99 }),
    ...(p95 === undefined ? {} : { p95Ms: p95 }),
    ...(p50 === undefined ? {} : { p50Ms: p50 }),
    ...(errorPointsOverStable === undefined ? {} : { errorPointsOverStable }),
    ...(throughput === undefined ? {} : { throughputPercent: throughput }),
    ...(consecutivePasses === undefined ? {} : { consecutivePasses }),
    ...(failureLimit === undefined ? {} : { failureLimit }),
  }
}

function nameThePreset(reader: LayeredReader, path: string, name: PresetName): void {
  const origin = reader.originOf(path)
  if (origin.kind === 'default') reader.note(path, { kind: 'default', note: `preset ${name}` })
  else reader.note(path, { kind: 'preset', name, line: origin.line, column: origin.column })
}

type Arrival = Pick<StrategySettings, 'watchMs' | 'lightWatch' | 'holdMs' | 'readyPercent'>
type Place = { production: boolean; path: string; sectionIn: Found<ArrivalKeys> }

/** What every strategy has; its defaults stand with the canary. */
function arrivalOf(reader: LayeredReader, place: Place): Arrival {
  const { path, sectionIn } = place
  const key = <K extends keyof ArrivalKeys>(name: K) =>
    reader.find(`${path}.${name}`, ({ strategy }) => sectionIn(strategy)?.[name])
  const { watch, hold, ready } = DEFAULTS.strategy.canary
  const held = key('hold')
  return {
    watchMs: key('watch') ?? msOf(watch),
    lightWatch: lightWatchOf(reader, place),
    holdMs: held === undefined ? msOf(hold) : held,
    readyPercent: key('ready') ?? Number.parseFloat(ready),
  }
}

/** On in production unless the file switches it off, and wherever the file asks for it. */
function lightWatchOf(
  reader: LayeredReader,
  { production, path: above, sectionIn }: Place,
): StrategySettings['lightWatch'] {
  const path = `${above}.lightWatch`
  const chosen = reader.find(path, ({ strategy }) => sectionIn(strategy)?.lightWatch)
  if (chosen === 'off') return null
  if (chosen === undefined && !production) {
    reader.note(path, { kind: 'default', note: 'not in production' })
    return null
  }
  reader.origins.delete(path)
  const part = <K extends 'for' | 'onFinding'>(key: K) =>
    reader.find(`${path}.${key}`, ({ strategy }) => {
      const section = sectionIn(strategy)?.lightWatch
      return section === 'off' ? undefined : section?.[key]
    })
  return {
    forMs: part('for') ?? msOf(DEFAULT_LIGHT_WATCH.for),
    onFinding: part('onFinding') ?? DEFAULT_LIGHT_WATCH.onFinding,
  }
}
