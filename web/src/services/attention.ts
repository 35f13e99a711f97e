import type { ServiceView } from '../../../src/core/rollout/view/view.ts'
import { serviceMark, type Tone } from '../format/state.ts'

const RANK: Record<Tone, number> = { bad: 0, warn: 1, accent: 2, good: 3, quiet: 4 }

/** What is under way and in trouble or waits comes first, then what ended badly, then the rest; by name among equals. */
export const byAttention = (views: readonly ServiceView[]): ServiceView[] =>
  views.toSorted((one, other) => rankOf(one) - rankOf(other) || one.stream.localeCompare(other.stream))

/** How many rollouts there are, and how many of them do not go on by themselves just now. */
export function progressSummary(views: readonly ServiceView[]): string {
  const moving = views.filter(isMoving)
  if (moving.length === 0) return 'Nothing is being rolled out.'
  const count =
    moving.length === 1 ? 'One rollout is in progress' : `${moving.length} rollouts are in progress`
  const waiting = moving.filter((view) => serviceMark(view).tone === 'warn').length
  return waiting === 0
    ? `${count}.`
    : `${count}, ${waiting === moving.length ? 'waiting' : `${waiting} waiting`}.`
}

const ENDED_BADLY = 0.5

function rankOf(view: ServiceView): number {
  const rank = RANK[serviceMark(view).tone]
  // An abort or a rollback of last week must not stand above what waits for a person now.
  return rank > RANK.warn || isMoving(view) ? rank : RANK.warn + ENDED_BADLY
}

const isMoving = ({ rollout }: ServiceView): boolean => rollout !== null && rollout.state !== 'ended'
