import type { Label } from './classify.ts'

export type Scored = { label: Label; critical: boolean; groups: readonly string[] }

export type GroupScore = {
  name: string
  /** 0 to 100; `null`: none of its metrics has data. It counts as 100 in the total. */
  score: number | null
  /** Percent of the total. */
  weight: number
}

export type Score = { total: number; groups: GroupScore[]; reason: string }

/** From this share of metrics without data on, the total is 0. */
const MOST_NODATA_SHARE = 0.5

/** Kayenta's weighted sum. Groups without a weight share what the others leave of 100. */
export function scoreOf(metrics: readonly Scored[], weights: ReadonlyMap<string, number>): Score {
  const names = [...new Set(metrics.flatMap(({ groups }) => groups))]
  const unweighted = names.filter((name) => !weights.has(name))
  const given = [...weights.values()].reduce((sum, weight) => sum + weight, 0)
  const share = unweighted.length === 0 ? 0 : (100 - given) / unweighted.length
  const groups = names.map((name) => ({
    name,
    score: groupScore(metrics.filter((metric) => metric.groups.includes(name)).map(({ label }) => label)),
    weight: weights.get(name) ?? share,
  }))
  const failedCritically = metrics.filter(({ critical, label }) => critical && label !== 'Pass').length
  if (failedCritically > 0)
    return { total: 0, groups, reason: `Critical metrics that did not pass: ${failedCritically}.` }
  if (metrics.length === 0) return { total: 0, groups, reason: 'No metric was judged.' }
  const nodata = metrics.filter(({ label }) => label === 'Nodata').length
  if (nodata >= metrics.length * MOST_NODATA_SHARE)
    return { total: 0, groups, reason: `${nodata} of ${metrics.length} metrics have no data.` }
  const total = twoPlaces(groups.reduce((sum, { score, weight }) => sum + ((score ?? 100) * weight) / 100, 0))
  return { total, groups, reason: `Weighted sum of the groups: ${groups.length}.` }
}

function groupScore(labels: readonly Label[]): number | null {
  const counted = labels.filter((label) => label !== 'Nodata')
  const passed = counted.filter((label) => label === 'Pass').length
  return counted.length === 0 ? null : (100 * passed) / counted.length
}

const twoPlaces = (value: number): number => Math.round(value * 100) / 100
