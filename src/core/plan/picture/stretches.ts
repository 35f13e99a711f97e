import { formatDuration } from '../../shared/duration.ts'
import { TOTAL_PERMILLE } from '../../shared/weight.ts'
import type { Plan, PlannedStep } from '../plan.ts'

/** A part of a plan in which nothing changes, as it is drawn. */
export type Stretch = {
  /** Steps that it stands for, counted from 1. */
  from: number
  to: number
  weightPermille: number
  instances: PlannedStep['instances']
  /** Where it begins, in ms since the plan does; `null` once a person has to say so before. */
  atMs: number | null
  /** `null` waits for a person. */
  lastsMs: number | null
  /** Letter of its way back. */
  back: string
  /** Room that it takes, beside the others: not to scale, or a minute could not be seen beside a day. */
  room: number
}

/** Each different way back of a plan, by its letter. */
export type WayBackLetter = { letter: string; from: number; to: number; text: string }
export type PlanPicture = { stretches: Stretch[]; waysBack: WayBackLetter[] }

const LEAST_ROOM = 1
const SHORTEST_MS = 1000

export function pictureOf({ steps }: Pick<Plan, 'steps'>): PlanPicture {
  const waysBack = waysBackOf(steps)
  const letterAt = (index: number): string =>
    waysBack.find(({ from, to }) => index + 1 >= from && index + 1 <= to)?.letter ?? ''
  const stretches: Stretch[] = []
  let atMs: number | null = 0
  let begins = 0
  for (const [index, { step, expectedMs, instances }] of steps.entries()) {
    const isLast = index === steps.length - 1
    if (!isLast && isAtOnce(step.kind, expectedMs)) continue
    const lastsMs = step.kind === 'keep' ? step.forMs : expectedMs
    const room = roomOf(lastsMs)
    const weightPermille = weightAt(steps, index)
    stretches.push({
      ...{ from: begins + 1, to: index + 1, weightPermille, instances, atMs, lastsMs, room },
      back: letterAt(index),
    })
    atMs = atMs === null || lastsMs === null ? null : atMs + lastsMs
    begins = index + 1
  }
  return { stretches, waysBack }
}

/** What is over in a moment belongs to what comes after it; the start of instances is always seen, and so is that nobody serves. */
const isAtOnce = (kind: PlannedStep['step']['kind'], expectedMs: number | null): boolean =>
  kind !== 'provision' &&
  kind !== 'vacate' &&
  kind !== 'keep' &&
  expectedMs !== null &&
  expectedMs < SHORTEST_MS

const roomOf = (lastsMs: number | null): number =>
  lastsMs === null ? 3 * LEAST_ROOM : LEAST_ROOM + Math.log10(1 + lastsMs / SHORTEST_MS)

/** The share of the candidate after this step; without steps of traffic its share of the instances. */
function weightAt(steps: readonly PlannedStep[], index: number): number {
  if (!steps.some(({ step }) => step.kind === 'traffic')) {
    const { stable, candidate } = steps[index]?.instances ?? { stable: 0, candidate: 0 }
    return stable + candidate === 0 ? 0 : Math.round((TOTAL_PERMILLE * candidate) / (stable + candidate))
  }
  const last = steps.slice(0, index + 1).findLast(({ step }) => step.kind === 'traffic')?.step
  return last?.kind === 'traffic' ? last.weightPermille : 0
}

/** Neighbours mostly share their way back. */
function waysBackOf(steps: readonly PlannedStep[]): WayBackLetter[] {
  const found: WayBackLetter[] = []
  for (const [index, { rollback }] of steps.entries()) {
    const last = found.at(-1)
    if (last?.text === rollback) last.to = index + 1
    else
      found.push({
        letter: String.fromCharCode('A'.charCodeAt(0) + (found.length % 26)),
        from: index + 1,
        to: index + 1,
        text: rollback,
      })
  }
  return found
}

/** `start`, `+10m`; `?` once a person has to say so before. */
export const beginText = ({ atMs }: Stretch): string =>
  atMs === null ? '?' : atMs === 0 ? 'start' : `+${formatDuration(Math.round(atMs / 1000) * 1000)}`
