import type { Release } from '../release/release.ts'
import { isWorker } from '../release/worker.ts'
import type { Step } from './plan.ts'

export type Sizes = { stable: number; candidate: number }

/** Instances of both sets at each step, as planned. Whoever comes in batches, or after the old, has not its full size from the start. */
export function sizesOf(steps: readonly Step[], { stable, candidate }: Sizes): Sizes[] {
  let now = {
    stable,
    candidate: steps.some(({ kind }) => kind === 'shrink' || kind === 'vacate') ? 0 : candidate,
  }
  return steps.map((step) => {
    now = after(step, now)
    return now
  })
}

function after(step: Step, now: Sizes): Sizes {
  switch (step.kind) {
    case 'provision':
      return { ...now, candidate: step.replicas }
    case 'shrink':
      return { ...now, stable: step.replicas }
    case 'vacate':
    case 'retire':
      return { ...now, stable: 0 }
    default:
      return now
  }
}

/** Most instances that run at the same time; the one formula for every strategy. */
export const peakOf = (sizes: readonly Sizes[]): number =>
  Math.max(0, ...sizes.map(({ stable, candidate }) => stable + candidate))

/** A worker finishes what it has beside whoever takes its place, and so does what is told to take no new work. */
export const mayLinger = (release: Pick<Release, 'settings'> | null): boolean =>
  release !== null && (isWorker(release.settings) || release.settings.run.quiesce !== undefined)
