import * as z from 'zod'
import { parseDuration } from '../core/shared/duration.ts'
import { TOTAL_PERMILLE } from '../core/shared/weight.ts'
import { complain } from './complaint.ts'
import {
  DEFAULT_BLUE_GREEN,
  DEFAULT_LIGHT_WATCH,
  DEFAULT_RECREATE,
  DEFAULT_STEP_PAUSE,
  DEFAULTS,
} from './defaults.ts'
import { PRESET_NAMES } from './presets.ts'
import { duration, durationOr, percent, weight } from './scalars.ts'
import { AB_KEYS } from './schema-ab.ts'
import { BATCH_KEYS, pauseFits } from './schema-rolling.ts'
import { SHADOW_KEYS } from './schema-shadow.ts'
import { SIDE_KEYS, STICKY_KEY } from './schema-side.ts'

/** More steps than this are a mistake of a generator, not a plan of a person. */
const MAX_STEPS = 50
/** A day of looks each second. */
const MAX_LOOKS = 86_400
const canaryDefaults = DEFAULTS.strategy.canary

const Preset = z.enum(PRESET_NAMES)

const Criteria = z.strictObject({
  errorRate: percent().describe('The error rate must be below this.').optional(),
  successRate: percent().describe('The success rate must be above this.').optional(),
  p99: duration({ minMs: 1 }).describe('99 of 100 requests must be faster than this.').optional(),
  p95: duration({ minMs: 1 }).describe('95 of 100 requests must be faster than this.').optional(),
  p50: duration({ minMs: 1 }).describe('Half of the requests must be faster than this.').optional(),
  errorPointsOverStable: percent()
    .describe('The error rate must be at most this many percentage points above that of stable in the step.')
    .optional(),
  throughput: percent({ min: 1 })
    .describe(
      'The candidate must have answered at least this part of the requests that are due by its weight. One that hangs answers fewer.',
    )
    .optional(),
  consecutivePasses: z
    .int()
    .min(1)
    .max(MAX_LOOKS)
    .meta({ title: 'whole number', default: 1 })
    .describe(
      'The step goes on once all its criteria were met at this many looks one after the other. A look comes each `analysis.interval`.',
    )
    .optional(),
  failureLimit: z
    .int()
    .min(0)
    .max(MAX_LOOKS)
    .meta({ title: 'whole number', default: 0 })
    .describe(
      'A step whose criteria were not met at this many looks in a row after its time pauses, for a person to look. 0: it waits.',
    )
    .optional(),
})

const CanaryStepSection = z.strictObject({
  weight: weight().describe(
    'Share of live traffic that the candidate gets, exact to 0.1%. Weights must rise from step to step.',
  ),
  pause: durationOr('manual')
    .meta({ default: DEFAULT_STEP_PAUSE })
    .describe(
      'The step lasts at least this long. `manual` waits for `sluice promote`. Not for a step of 100%: the watch follows it at once.',
    )
    .optional(),
  atMost: duration({ minMs: 1 })
    .describe(
      'A step that its criteria have not let go on after so long pauses, for a person to look. Without it the step waits. Not shorter than `pause`.',
    )
    .optional(),
  criteria: Criteria.describe(
    'What the candidate must show before the rollout goes on. What is not named is not asked.',
  ).optional(),
})

const Steps = z
  .array(CanaryStepSection)
  .min(1)
  .max(MAX_STEPS)
  .superRefine((steps, context) => {
    for (const [index, step] of steps.entries()) {
      const before = steps[index - 1]
      if (before !== undefined && step.weight <= before.weight)
        complain(context, weightsMustRise(before.weight, step.weight), [index, 'weight'])
      if (step.weight === TOTAL_PERMILLE && step.pause !== undefined && step.pause !== 0)
        complain(context, LAST_STEP_DOES_NOT_PAUSE, [index, 'pause'])
      if (step.atMost !== undefined && step.atMost < shortest(step.pause))
        complain(context, AT_MOST_TOO_SHORT, [index, 'atMost'])
      if (step.weight === TOTAL_PERMILLE && step.atMost !== undefined)
        complain(context, LAST_STEP_DOES_NOT_PAUSE, [index, 'atMost'])
      if (step.weight === TOTAL_PERMILLE && step.criteria !== undefined)
        complain(context, LAST_STEP_HAS_NO_CRITERIA, [index, 'criteria'])
    }
  })

const weightsMustRise = (before: number, after: number) => ({
  code: 'CONFIG_WEIGHTS_NOT_RISING',
  message: `is ${after / 10}%, not above the ${before / 10}% of the step before`,
  remedy: 'Order the steps by rising weight. To lower a weight, use the command at that moment.',
})

/** Without a time of its own a step has the default one; `manual` has no end. */
const shortest = (pauseMs: number | null | undefined): number =>
  pauseMs === undefined ? (parseDuration(DEFAULT_STEP_PAUSE) ?? 0) : (pauseMs ?? 0)

const AT_MOST_TOO_SHORT = {
  code: 'CONFIG_CONFLICT',
  message: 'is shorter than the pause of the step, so that it could never go on by itself',
  remedy: 'Write a time well above pause: what is left is for the criteria to be met.',
}
const LAST_STEP_DOES_NOT_PAUSE = {
  code: 'CONFIG_CONFLICT',
  message: 'stands at a step of 100%, which has no step time',
  remedy: 'Remove it and set strategy.canary.watch: that is the time after 100%.',
}
const LAST_STEP_HAS_NO_CRITERIA = {
  code: 'CONFIG_CONFLICT',
  message: 'stands at a step of 100%, after which there is no further step to hold back',
  remedy: 'Remove it. During the watch the critical triggers of analysis still roll back.',
}

const MINUTE_MS = 60_000
const WEEK_MS = 7 * 24 * 60 * MINUTE_MS

const LightWatchSection = z.union([
  z.literal('off'),
  z.strictObject({
    for: duration({ minMs: 10 * MINUTE_MS, maxMs: WEEK_MS })
      .meta({ default: DEFAULT_LIGHT_WATCH.for })
      .describe('This long after the promotion, between 10 minutes and a week.')
      .optional(),
    onFinding: z
      .enum(['alarm', 'rollback'])
      .meta({ title: 'alarm or rollback', default: DEFAULT_LIGHT_WATCH.onFinding })
      .describe(
        'What follows when the release is shown to be worse: people are told (`alarm`), or it also goes back by itself to the stable release before (`rollback`).',
      )
      .optional(),
  }),
])

/** Rising weights: a preset, or steps of one's own. */
const RISE_KEYS = {
  preset: Preset.meta({ title: 'preset', default: canaryDefaults.preset })
    .describe(
      'A list of steps by name: `standard` is 5%, 25%, 50%, 100%; `cautious` is 1%, 5%, 10%, 25%, 50%, 100%; `quick` is 10%, 50%, 100%.',
    )
    .optional(),
  steps: Steps.describe(
    'A list of steps of your own instead of a preset. A step of 100% is added if the list does not end with it.',
  ).optional(),
  earliest: durationOr('off')
    .meta({ default: canaryDefaults.earliest })
    .describe(
      'A stage may end after this instead of its whole time, once what was counted in it rules out that the candidate is worse than stable by `analysis.notice`. `off`: never early.',
    )
    .optional(),
}

/** What every strategy has. */
const ARRIVAL_KEYS = {
  watch: duration()
    .meta({ default: canaryDefaults.watch })
    .describe('Time after 100% in which the old release stays warm and critical triggers still roll back.')
    .optional(),
  lightWatch: LightWatchSection.describe(
    'After the promotion the release is looked at each minute, against the critical limits and what was recorded during the rollout. On by default in production, `off` elsewhere.',
  ).optional(),
  hold: durationOr('keep')
    .meta({ default: canaryDefaults.hold })
    .describe(
      'How long the candidate stays without traffic after an abort, for inspection. `keep` keeps it until `sluice release discard`.',
    )
    .optional(),
  ready: percent({ min: 1 })
    .meta({ default: canaryDefaults.ready })
    .describe('Share of the replicas that must be ready before the candidate gets a weight.')
    .optional(),
}
export type ArrivalKeys = z.output<z.ZodObject<typeof ARRIVAL_KEYS>>

type Named = { preset?: unknown; steps?: unknown }

function onePreset({ preset, steps }: Named, context: z.RefinementCtx): void {
  if (preset === undefined || steps === undefined) return
  const remedy = 'Keep one of the two: preset or steps.'
  complain(context, { code: 'CONFIG_CONFLICT', message: 'stands beside steps', remedy }, ['preset'])
}

const RiseSection = z.strictObject(RISE_KEYS).superRefine(onePreset)
export type RiseSection = z.output<typeof RiseSection>

const CanarySection = z
  .strictObject({
    ...RISE_KEYS,
    instances: z
      .enum(['all', 'share'])
      .meta({ title: 'all or share', default: 'all' })
      .describe(
        'How many instances the candidate has: `all` from the start, so that a stage shows no start-up and 100% is one change away, or its `share`: at 10% of the traffic a tenth of the replicas, rounded up, and more before each stage.',
      )
      .optional(),
    ...SIDE_KEYS,
    ...STICKY_KEY,
    ...ARRIVAL_KEYS,
  })
  .superRefine(onePreset)

const BlueGreenSection = z.strictObject({
  switch: durationOr('manual')
    .meta({ default: DEFAULT_BLUE_GREEN.switch })
    .describe(
      'How long people may look at the candidate once it is ready, before all traffic moves. `0s` switches at once, `manual` waits for `sluice promote`.',
    )
    .optional(),
  previewReplicas: z
    .int()
    .min(1)
    .max(1000)
    .describe(
      'Instances of the candidate until the switch, when `switch` leaves time before it. All of `run.replicas` by default; the rest is started before the switch.',
    )
    .optional(),
  ...SIDE_KEYS,
  canary: z
    .union([Preset, RiseSection])
    .describe(
      'The switch is not one act: traffic rises in the steps of a canary. A preset by name, or steps.',
    )
    .optional(),
  warm: duration({ maxMs: WEEK_MS })
    .meta({ default: DEFAULT_BLUE_GREEN.warmInProduction })
    .describe(
      'The old set stays ready for so long after the promotion, for an instant way back. The default holds in production; elsewhere it is `0s`, so that the old set leaves when the watch ends.',
    )
    .optional(),
  ...ARRIVAL_KEYS,
})

/** Nothing is held beside the others: there is room for the surge alone. */
const { hold: _, ...ROLLING_ARRIVAL_KEYS } = ARRIVAL_KEYS

const RollingSection = z
  .strictObject({
    ...BATCH_KEYS,
    criteria: Criteria.describe(
      'What the candidate must show in each batch before the next. What is not named is not asked.',
    ).optional(),
    ...ROLLING_ARRIVAL_KEYS,
  })
  .superRefine(pauseFits)
export type RollingSection = z.output<typeof RollingSection>

const HOUR_MS = 60 * MINUTE_MS

/** Nothing is held after an abort: what is kept for a look would keep what stable needs. */
const RecreateSection = z.strictObject({
  retryAfter: duration({ minMs: 1000, maxMs: HOUR_MS })
    .meta({ default: DEFAULT_RECREATE.retryAfter })
    .describe(
      'While nobody is served, requests get 503 and are told to come back after this long (`Retry-After`), in whole seconds.',
    )
    .optional(),
  ...ROLLING_ARRIVAL_KEYS,
})
export type RecreateSection = z.output<typeof RecreateSection>

const AbSection = z.strictObject({ ...AB_KEYS, ...ARRIVAL_KEYS })
export type AbSection = z.output<typeof AbSection>

const ShadowSection = z.strictObject({
  ...SHADOW_KEYS,
  criteria: Criteria.omit({ throughput: true })
    .describe(
      'What the candidate must show on the copies before users get it. What is not named is not asked.',
    )
    .optional(),
  canary: z
    .union([Preset, RiseSection])
    .describe(
      'After the copies traffic rises in the steps of a canary. Without it all traffic moves at once. A preset by name, or steps.',
    )
    .optional(),
  ...ARRIVAL_KEYS,
})
export type ShadowSection = z.output<typeof ShadowSection>

const StrategyObject = z
  .strictObject({
    canary: z
      .union([Preset, CanarySection])
      .meta({ default: canaryDefaults.preset })
      .describe('Rising shares of live traffic. A preset by name, or settings.')
      .optional(),
    blueGreen: BlueGreenSection.describe(
      'A whole second set beside the first, one switch of all traffic, and the old set kept ready. `{}` takes the defaults.',
    ).optional(),
    rolling: RollingSection.describe(
      'Instances are replaced batch by batch, without a second set: for services that have no room for two. `{}` takes the defaults.',
    ).optional(),
    recreate: RecreateSection.describe(
      'The old instances stop, and only then the new ones start; in between nobody is served. For services of which two versions must never run at the same time. `{}` takes the defaults.',
    ).optional(),
    shadow: ShadowSection.describe(
      'Copies of real requests go to the candidate, and users get none of its answers; errors, latency and answers are compared, and then traffic moves. `{}` takes the defaults.',
    ).optional(),
    ab: AbSection.describe(
      'Variants of the candidate beside stable for a fixed time, compared by how many users reach a goal. It ends with the decision of a person.',
    ).optional(),
  })
  .meta({ minProperties: 1, maxProperties: 1 })
  .superRefine((strategy, context) => {
    const [first, second] = Object.keys(strategy)
    if (first === undefined) complain(context, NO_STRATEGY, [])
    else if (second !== undefined) complain(context, severalStrategies(first), [second])
  })
export type StrategyObject = z.output<typeof StrategyObject>

const NO_STRATEGY = {
  code: 'CONFIG_INVALID',
  message: 'names no strategy',
  remedy:
    'Write canary, blueGreen, rolling, shadow, recreate or ab below it, or remove strategy: canary is the default.',
}

const severalStrategies = (first: string) => ({
  code: 'CONFIG_CONFLICT',
  message: `stands beside ${first}`,
  remedy: 'Keep one strategy. For a canary after a blue-green preview write blueGreen: { canary: standard }.',
})

export const StrategySection = z.union([
  z.literal('canary'),
  z.literal('blueGreen'),
  z.literal('rolling'),
  z.literal('shadow'),
  z.literal('recreate'),
  StrategyObject,
])
