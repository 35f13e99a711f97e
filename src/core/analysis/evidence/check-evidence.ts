import type { Check } from '../check.ts'
import { countsIn, evidenceNow, hasOwnCounts, isAboutErrors, thresholdOf } from '../judge.ts'
import type { Dispersion } from '../sequential/dispersion.ts'
import type { Verdict } from '../sequential/state.ts'
import { burnFacts } from './burn-facts.ts'
import { chanceOf } from './chance.ts'
import { comparisonFacts } from './comparison-facts.ts'
import type { CheckEvidence, EvidencePoint, Facts } from './evidence.ts'
import { limitFacts } from './limit-facts.ts'
import { crashFacts, differingFacts, throughputFacts } from './own-facts.ts'
import { stretches } from './stretches.ts'
import { counts, type Judged, type Look } from './trail.ts'

/** What was said of the check when it was described. */
export type Said = { verdict: Verdict; sentence: string; threshold: string; dispersion: Dispersion }

/** The evidence of one check after each batch, and what follows from it. */
export function checkEvidence(judged: Judged, looks: readonly Look[], said: Said): CheckEvidence {
  const { check, state } = judged
  const used = looks.filter((look) => counts(judged, look))
  const facts = factsOf(judged, used, said.dispersion.phi)
  const peak = state.peakLogE
  const crossed = looks.findIndex(({ batch }) => batch.at === state.crossedAt)
  const points = stretches(used).map((some) => pointOf(judged, some, facts.boundMs))
  return {
    name: check.name,
    tier: check.tier,
    verdict: said.verdict,
    sentence: said.sentence,
    limit: said.threshold,
    about: aboutOf(check),
    counted: countedWords(check, facts.boundMs),
    unit: check.kind === 'crashes' ? 'per-100' : 'percent',
    harm: check.kind === 'throughput' ? 'less' : 'more',
    asking: null,
    ...facts,
    candidate: sumOf(points.map(({ candidate }) => candidate)),
    stable: sumOf(points.map(({ stable }) => stable)),
    logE: evidenceNow(check, state),
    peakLogE: peak,
    threshold: thresholdOf(check),
    ...chanceOf(peak),
    crossedAt: state.crossedAt,
    crossedAtBatch: state.crossedAt === null || crossed === -1 ? null : crossed + 1,
    looks: used.length,
    dispersion: said.dispersion,
    points,
  }
}

function factsOf(judged: Judged, used: readonly Look[], phi: number): Facts {
  const { check, state, index } = judged
  switch (check.kind) {
    case 'compare':
    case 'errors-over-stable':
      return comparisonFacts({ check, state, index }, used, phi)
    case 'burn-rate':
      return burnFacts(check, state, phi)
    case 'error-limit':
    case 'latency-limit':
    case 'latency-over-stable':
      return limitFacts({ check, state, index }, used, phi)
    case 'throughput':
      return throughputFacts(check, used)
    case 'crashes':
      return crashFacts(check, { state, index }, used)
    case 'differing':
      return differingFacts(check, used)
  }
}

function aboutOf(check: Check): CheckEvidence['about'] {
  if (hasOwnCounts(check)) return check.kind
  return isAboutErrors(check) ? 'errors' : 'latency'
}

function countedWords(check: Check, boundMs: number | null): string {
  if (isAboutErrors(check)) return 'Errors'
  if (check.kind === 'throughput') return 'Answered of the requests due'
  if (check.kind === 'crashes') return 'Crashes of instance hours'
  if (check.kind === 'differing') return 'Answers that differ'
  return boundMs === null ? 'Slow requests' : `Slower than ${boundMs} ms`
}

function pointOf({ check, index }: Judged, looks: readonly Look[], boundMs: number | null): EvidencePoint {
  const sides = looks.map(({ batch }) => countsIn(check, { boundMs }, batch))
  return {
    at: looks.at(-1)?.batch.at ?? 0,
    logE: looks.reduce(
      (most, { checks }) => Math.max(most, checks[index]?.logE ?? 0),
      Number.NEGATIVE_INFINITY,
    ),
    candidate: sumOf(sides.map(({ candidate }) => candidate)),
    stable: sumOf(sides.map(({ stable }) => stable)),
  }
}

const sumOf = (sides: readonly { bad: number; total: number }[]) => ({
  bad: sides.reduce((sum, { bad }) => sum + bad, 0),
  total: sides.reduce((sum, { total }) => sum + total, 0),
})
