import type { CheckEvidence } from './evidence.ts'
import type { Look } from './trail.ts'
import { count } from './words.ts'

/** What nobody should read into the verdicts, in whole sentences. */
export function unseenBy(
  evidences: readonly CheckEvidence[],
  looks: readonly Look[],
  failures: number,
): string[] {
  const oneSided = looks.filter(
    ({ batch }) => (batch.candidate.requests === 0) !== (batch.stable.requests === 0),
  ).length
  const warming = looks.filter(({ isWarmingUp }) => isWarmingUp).length
  return [
    ...evidences.flatMap((evidence) => smallRise(evidence) ?? []),
    ...(oneSided === 0
      ? []
      : [
          `In ${some(oneSided, looks)} only one version had requests: they say nothing about one beside the other.`,
        ]),
    ...(warming === 0
      ? []
      : [
          `In ${some(warming, looks)} a step had just begun: latency is not compared there, while caches are cold.`,
        ]),
    ...(failures === 0
      ? []
      : [`The numbers could not be read ${failures === 1 ? 'once' : `${failures} times`}.`]),
    ...(evidences.some(({ dispersion }) => dispersion.evidence === 'weaker')
      ? [
          'Less than an hour of minutes of stable was known, so how much its counts vary by themselves is guessed high: real differences take more requests to show.',
        ]
      : []),
    'All requests of a version count together: what is wrong with one rare route can hide among the others. What no request shows (data, side effects) is not looked at.',
  ]
}

function smallRise({ name, tier, about, verdict, leastNoticed, ...of }: CheckEvidence): string | null {
  if (tier !== 'compare' && about !== 'declared') return null
  if (verdict === 'worse' || leastNoticed === null) return null
  const { points, requests: compared } = leastNoticed
  const size = `${count(compared)} ${about === 'declared' ? 'counted' : 'requests'} of the candidate beside stable`
  const change = of.harm === 'less' ? 'fall' : 'rise'
  const unit = of.unit === 'percent' ? 'points' : 'per 100'
  return points === null
    ? `${name}: ${size} are too few to show any ${change}.`
    : `${name}: a ${change} of less than about ${Number(points.toPrecision(2))} ${unit} would not have been noticed with ${size}.`
}

const some = (part: number, looks: readonly Look[]): string =>
  `${part} of ${looks.length} ${looks.length === 1 ? 'batch' : 'batches'}`
