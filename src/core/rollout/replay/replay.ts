import * as z from 'zod'
import { batchBetween } from '../../analysis/counts-cursor.ts'
import type { CheckState } from '../../analysis/judge.ts'
import { ANALYSIS_METHOD, FIRST_METHOD } from '../../analysis/method.ts'
import { gaugesOf } from '../../analysis/resources/gauge.ts'
import { useBetween } from '../../analysis/resources/use-batch.ts'
import type { Event, EventOf } from '../event.ts'
import { sidesOf } from '../judging/count-resources.ts'
import type { ResourceState } from '../judging/resource-state.ts'
import type { MetricState } from '../metrics/metric-state.ts'
import { sidesNow } from '../shadow/shadowing.ts'
import type { RolloutState, ServiceState } from '../state.ts'
import { checkViews } from '../view/check-view.ts'
import type { CheckView, ReleaseRef } from '../view/view.ts'
import { redecide } from './replay-decision.ts'
import { refold, type Steps } from './trail.ts'

/** A damaged journal has one cause and many effects: nobody reads more of them. */
const MOST_DIFFERENCES = 50

export const Difference = z.object({
  /** `batch`: it does not follow from the counters. `decision`: one was made on other grounds. `check`: another end. */
  kind: z.enum(['batch', 'decision', 'check']),
  /** Number of the last batch before it, or of the batch itself, from 1. */
  batch: z.int(),
  at: z.number().nullable(),
  /** Name of the check, or where in the batch. */
  what: z.string(),
  recorded: z.string(),
  recomputed: z.string(),
})
export type Difference = z.infer<typeof Difference>

/** A decision that does not follow from the events of the rollout. */
export const NotRecomputed = z.object({
  at: z.number(),
  /** Its code, and the check where there is one. */
  what: z.string(),
  why: z.string(),
})
export type NotRecomputed = z.infer<typeof NotRecomputed>

export const Replay = z.object({
  rollout: z.string(),
  batches: z.int(),
  /** Answers about declared metrics that were judged again. */
  windows: z.int(),
  /** Verdicts that were recomputed: of each decision, and of each check and metric at the end. */
  verdicts: z.int(),
  /** Returns, failures that were held, pauses, what follows from alerts, and turns of a metric that were made again. */
  decisions: z.int(),
  /** At most 50. */
  notRecomputed: z.array(NotRecomputed),
  /** How this version judges, and how those judged that wrote the events, in order. */
  method: z.object({ now: z.int(), recorded: z.array(z.int()) }),
  /** At most 50. */
  differences: z.array(Difference),
  isEqual: z.boolean(),
  /**
   * `other-method`: it was judged in another way than this version does, and comes out differently. That says nothing about
   * what is stored. A batch that does not follow from its counters `differs` in any case.
   */
  standing: z.enum(['equal', 'differs', 'other-method']),
})
export type Replay = z.infer<typeof Replay>

/** What was kept beside the events. */
export type Recorded = {
  rollout: string
  stable: ReleaseRef | null
  /** Of the record that was written with the outcome; empty before. */
  views: readonly CheckView[]
  /** Of the state, while this is the last rollout of the service. */
  states: readonly CheckState[] | null
  metrics: readonly MetricState[] | null
  resources: ResourceState | null
}

type Tally = {
  batches: number
  windows: number
  decisions: number
  notRecomputed: NotRecomputed[]
  methods: Set<number>
  differences: Difference[]
}

/**
 * Judges every batch of a rollout and every window of its declared metrics again and compares, bit for bit: each batch with
 * the counters it was taken from, the grounds of each decision, and verdict, crossing and evidence of each check and metric
 * at the end.
 */
export function* replay(events: readonly Event[], recorded: Recorded): Steps<Replay> {
  const tally: Tally = {
    batches: 0,
    windows: 0,
    decisions: 0,
    notRecomputed: [],
    methods: new Set(),
    differences: [],
  }
  const rollout = yield* refold(recorded.stable, events, (event, before) => {
    seeMethod(tally, event)
    if (before.rollout === null) return
    if (event.kind === 'metrics-observed') seeBatch(tally, event, before.rollout)
    if (event.kind === 'metrics-observed') seeUse(tally, event, before.rollout)
    if (event.kind === 'metric-sampled') tally.windows += 1
    seeDecision(tally, event, before)
  })
  const ends = rollout === null ? [] : differencesAtEnd(rollout, recorded, tally.batches)
  const differences = [...tally.differences, ...ends]
  const { batches, windows, decisions, notRecomputed } = tally
  return {
    rollout: recorded.rollout,
    batches,
    windows,
    verdicts: decisions + (rollout?.checks.length ?? 0) + (rollout?.metrics.length ?? 0),
    decisions,
    notRecomputed: notRecomputed.slice(0, MOST_DIFFERENCES),
    method: { now: ANALYSIS_METHOD, recorded: [...tally.methods] },
    differences: differences.slice(0, MOST_DIFFERENCES),
    isEqual: differences.length === 0,
    standing: standingOf(differences, tally.methods),
  }
}

/** A new owner in the middle of a rollout may be of another version. */
function seeMethod({ methods }: Tally, event: Event): void {
  if (event.kind === 'rollout-started' || event.kind === 'controller-started')
    methods.add(event.method ?? FIRST_METHOD)
}

function standingOf(differences: readonly Difference[], methods: ReadonlySet<number>): Replay['standing'] {
  if (differences.length === 0) return 'equal'
  const isSameMethod = [...methods].every((method) => method === ANALYSIS_METHOD)
  return isSameMethod || differences.some(({ kind }) => kind === 'batch') ? 'differs' : 'other-method'
}

/** Batches are differences of counters that are kept beside them: one that was changed gives itself away. */
function seeBatch(tally: Tally, { batch, cursor }: EventOf<'metrics-observed'>, before: RolloutState): void {
  if (batch === null) return
  tally.batches += 1
  const { cursor: last } = before
  if (last === null) return
  const place = { kind: 'batch' as const, batch: tally.batches, at: batch.at }
  tally.differences.push(
    ...compared(batch, batchBetween(last, cursor, sidesNow(before))).map((one) => ({ ...place, ...one })),
  )
}

/** So is what was used; memory is as it was seen, and no difference. */
function seeUse(tally: Tally, { at, use }: EventOf<'metrics-observed'>, rollout: RolloutState): void {
  const last = rollout.resources.cursor
  if (use === undefined || use.batch === null || last === null) return
  const again = useBetween(last, use.cursor, { of: sidesOf(rollout), present: use.batch })
  const place = { kind: 'batch' as const, batch: tally.batches, at }
  tally.differences.push(...compared(use.batch, again, 'use').map((one) => ({ ...place, ...one })))
}

/** The reason of a decision holds the evidence it was made on. */
function seeDecision(tally: Tally, event: Event, before: ServiceState): void {
  const made = redecide(event, before)
  if (made === null) return
  switch (made.kind) {
    case 'not-recomputed': {
      const { what, why } = made
      tally.notRecomputed.push({ at: event.at, what, why })
      return
    }
    case 'differs': {
      const { what, recorded, recomputed } = made
      tally.differences.push({
        kind: 'decision',
        batch: tally.batches,
        at: event.at,
        what,
        recorded,
        recomputed,
      })
      tally.decisions += 1
      return
    }
    case 'equal':
      tally.decisions += 1
  }
}

function differencesAtEnd(
  rollout: RolloutState,
  { views, states, metrics, resources }: Recorded,
  batch: number,
): Difference[] {
  const place = { kind: 'check' as const, batch, at: null }
  const recomputed = checkViews(rollout)
  const ofViews = views.flatMap((view): Difference[] => {
    if (view.tier === 'stage' || view.evidence === undefined) return []
    const found = recomputed.find(({ name }) => name === view.name)
    const [is, was] = [endOf(found), endOf(view)]
    return is === was ? [] : [{ ...place, what: view.name, recorded: was, recomputed: is }]
  })
  const ofStates = (states ?? []).flatMap((state): Difference[] => {
    const found = rollout.checks.find(({ name }) => name === state.name)
    return compared(state, found, state.name).map((one) => ({ ...place, ...one }))
  })
  const ofMetrics = (metrics ?? []).flatMap((state): Difference[] => {
    const found = rollout.metrics.find(({ name }) => name === state.name)
    return compared(state, found, state.name).map((one) => ({ ...place, ...one }))
  })
  const ofResources = compared(resources, resources === null ? null : rollout.resources, 'resources').map(
    (one) => ({ ...place, ...one }),
  )
  return [
    ...ofViews,
    ...gaugeDifferences(recomputed, rollout, views).map((one) => ({ ...place, ...one })),
    ...ofStates,
    ...ofMetrics,
    ...ofResources,
  ]
}

/** A limit of resources has no evidence but its row. */
function gaugeDifferences(
  recomputed: readonly CheckView[],
  { settings }: RolloutState,
  views: readonly CheckView[],
): ReturnType<typeof compared> {
  return gaugesOf(settings.analysis).flatMap(({ name }) => {
    const [view, again] = [views, recomputed].map((all) => all.find((one) => one.name === name))
    return view === undefined || again === undefined ? [] : compared(groundsOf(view), groundsOf(again), name)
  })
}

const groundsOf = ({ verdict, candidate, stable, samples }: CheckView) => ({
  verdict,
  candidate,
  stable,
  samples,
})

const endOf = (view: CheckView | undefined): string =>
  view === undefined ? 'no such check' : JSON.stringify({ verdict: view.verdict, ...view.evidence })

/** Every number that differs, by its place. Lists of another length are one difference. */
function compared(
  recorded: unknown,
  recomputed: unknown,
  place = '',
): { what: string; recorded: string; recomputed: string }[] {
  const was = keysOf(recorded)
  const is = keysOf(recomputed)
  if (
    was === null ||
    is === null ||
    was.length !== is.length ||
    was.some(([key], at) => key !== is[at]?.[0])
  ) {
    const [a, b] = [JSON.stringify(recorded) ?? 'nothing', JSON.stringify(recomputed) ?? 'nothing']
    return a === b ? [] : [{ what: place, recorded: short(a), recomputed: short(b) }]
  }
  return was.flatMap(([key, value], at) =>
    compared(value, is[at]?.[1], place === '' ? key : `${place} ${key}`),
  )
}

function keysOf(value: unknown): [string, unknown][] | null {
  if (typeof value !== 'object' || value === null) return null
  return Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
}

const LONGEST = 200
const short = (text: string): string => (text.length > LONGEST ? `${text.slice(0, LONGEST)}...` : text)
