import * as z from 'zod'
import { batchBetween } from '../analysis/counts-cursor.ts'
import type { CheckState } from '../analysis/judge.ts'
import { checkViews } from './check-view.ts'
import type { Event, EventOf } from './event.ts'
import { judgeRollout } from './judge-rollout.ts'
import type { Reason } from './reason.ts'
import type { RolloutState } from './state.ts'
import { refold, type Steps } from './trail.ts'
import type { CheckView, ReleaseRef } from './view.ts'

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

export const Replay = z.object({
  rollout: z.string(),
  batches: z.int(),
  /** Verdicts that were recomputed: of each decision, and of each check at the end. */
  verdicts: z.int(),
  decisions: z.int(),
  /** At most 50. */
  differences: z.array(Difference),
  isEqual: z.boolean(),
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
}

type Tally = { batches: number; decisions: number; differences: Difference[] }

/**
 * Judges every batch of a rollout again and compares, bit for bit: each batch with the counters it was taken from, the
 * grounds of each decision, and verdict, crossing and evidence of each check at the end.
 */
export function* replay(events: readonly Event[], recorded: Recorded): Steps<Replay> {
  const tally: Tally = { batches: 0, decisions: 0, differences: [] }
  const rollout = yield* refold(recorded.stable, events, (event, before) => {
    if (before === null) return
    if (event.kind === 'metrics-observed') seeBatch(tally, event, before)
    else seeDecision(tally, event, before)
  })
  const ends = rollout === null ? [] : differencesAtEnd(rollout, recorded, tally.batches)
  const differences = [...tally.differences, ...ends]
  return {
    rollout: recorded.rollout,
    batches: tally.batches,
    verdicts: tally.decisions + (rollout?.checks.length ?? 0),
    decisions: tally.decisions,
    differences: differences.slice(0, MOST_DIFFERENCES),
    isEqual: differences.length === 0,
  }
}

/** Batches are differences of counters that are kept beside them: one that was changed gives itself away. */
function seeBatch(
  tally: Tally,
  { batch, cursor }: EventOf<'metrics-observed'>,
  { cursor: last, plan }: RolloutState,
): void {
  if (batch === null) return
  tally.batches += 1
  if (last === null) return
  const sides = { candidate: plan.to.release, stable: plan.from?.release ?? null }
  const place = { kind: 'batch' as const, batch: tally.batches, at: batch.at }
  tally.differences.push(
    ...compared(batch, batchBetween(last, cursor, sides)).map((one) => ({ ...place, ...one })),
  )
}

/** The reason of a decision holds the evidence it was made on. */
function seeDecision(tally: Tally, event: Event, before: RolloutState): void {
  const reason = decisionOf(event)
  if (reason === null) return
  tally.decisions += 1
  const judged = judgeRollout(before, undefined)
  const place = { kind: 'decision' as const, batch: tally.batches, at: event.at }
  const what = `${reason.code} ${String(reason.evidence.check ?? '')}`.trim()
  if (judged.kind === 'ok') {
    const recorded = numbersOf(reason)
    tally.differences.push({ ...place, what, recorded, recomputed: 'no check is broken at this moment' })
  } else if (numbersOf(reason) !== numbersOf(judged.reason))
    tally.differences.push({
      ...place,
      what,
      recorded: numbersOf(reason),
      recomputed: numbersOf(judged.reason),
    })
}

function decisionOf(event: Event): Reason | null {
  switch (event.kind) {
    case 'return-started':
    case 'failure-held':
    case 'rollout-paused':
      return isOfChecks(event.reason) ? event.reason : null
    default:
      return null
  }
}

const isOfChecks = ({ code }: Reason): boolean => code === 'CHECK_CRITICAL' || code === 'CHECK_WARNING'

/** JSON holds every double exactly. */
const numbersOf = ({ code, evidence: { check, logE, logThreshold, requests } }: Reason): string =>
  JSON.stringify({ code, check, logE, logThreshold, requests })

function differencesAtEnd(rollout: RolloutState, { views, states }: Recorded, batch: number): Difference[] {
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
  return [...ofViews, ...ofStates]
}

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
