import type { ServiceView, TimelineEntry } from '../../core/rollout/view/view.ts'

/** What the timeline holds that was not told yet, and how much fell out of it in between. */
export type News = { entries: readonly TimelineEntry[]; missed: number }

/** Remembers what was told. The first call tells everything since the rollout began. */
export function createNews(): (view: ServiceView) => News {
  let last: number | null = null
  return ({ timeline, rollout }) => {
    const since = rollout?.startedAt ?? Number.POSITIVE_INFINITY
    const entries = timeline.filter(({ sequence, at }) => (last === null ? at >= since : sequence > last))
    const oldest = timeline[0]?.sequence
    const missed =
      last === null || oldest === undefined
        ? 0
        : Math.max(0, entries.length === timeline.length ? oldest - last - 1 : 0)
    last = timeline.at(-1)?.sequence ?? last ?? 0
    return { entries, missed }
  }
}
