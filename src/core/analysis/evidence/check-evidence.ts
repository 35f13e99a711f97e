import { addSides } from '../batch.ts'
import { countsOf, evidenceNow, isAboutErrors, thresholdOf } from '../judge.ts'
import type { Dispersion } from '../sequential/dispersion.ts'
import type { Verdict } from '../sequential/state.ts'
import { burnFacts } from './burn-facts.ts'
import { comparisonFacts } from './comparison-facts.ts'
import type { CheckEvidence, EvidencePoint, Facts } from './evidence.ts'
import { limitFacts } from './limit-facts.ts'
import { counts, type Judged, type Look } from './trail.ts'

/** More points than this nobody sees. */
const MOST_POINTS = 240
/** No figure of confidence beyond this: the model itself is not that sure. */
const MOST_ONE_IN = 1_000_000_000

/** What was said of the check when it was described. */
export type Said = { verdict: Verdict; sentence: string; threshold: string; dispersion: Dispersion }

/** The evidence of one check after each batch, and what follows from it. */
export function checkEvidence(judged: Judged, looks: readonly Look[], said: Said): CheckEvidence {
  const { check, state } = judged
  const used = looks.filter((look) => counts(judged, look))
  const facts = factsOf(judged, used, said.dispersion.phi)
  const peak = state.peakLogE
  const crossed = looks.findIndex(({ batch }) => batch.at === state.crossedAt)
  const points = drawnTogether(judged, used, facts.boundMs)
  return {
    name: check.name,
    tier: check.tier,
    verdict: said.verdict,
    sentence: said.sentence,
    limit: said.threshold,
    about: isAboutErrors(check) ? 'errors' : 'latency',
    ...facts,
    candidate: sumOf(points.map(({ candidate }) => candidate)),
    stable: sumOf(points.map(({ stable }) => stable)),
    logE: evidenceNow(check, state),
    peakLogE: peak,
    threshold: thresholdOf(check),
    pValue: Math.min(1, Math.exp(-peak)),
    oneIn: Math.max(1, Math.floor(Math.min(MOST_ONE_IN, Math.exp(peak)))),
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
  }
}

function drawnTogether(judged: Judged, used: readonly Look[], boundMs: number | null): EvidencePoint[] {
  const width = Math.min(MOST_POINTS, used.length)
  return Array.from({ length: width }, (_, point) => {
    const from = Math.floor((point * used.length) / width)
    return pointOf(judged, used.slice(from, Math.floor(((point + 1) * used.length) / width)), boundMs)
  })
}

function pointOf({ check, index }: Judged, looks: readonly Look[], boundMs: number | null): EvidencePoint {
  const sides = looks
    .map(({ batch: { candidate, stable } }) => ({ candidate, stable }))
    .reduce((sum, side) => ({
      candidate: addSides(sum.candidate, side.candidate),
      stable: addSides(sum.stable, side.stable),
    }))
  return {
    at: looks.at(-1)?.batch.at ?? 0,
    logE: looks.reduce(
      (most, { checks }) => Math.max(most, checks[index]?.logE ?? 0),
      Number.NEGATIVE_INFINITY,
    ),
    ...countsOf(check, { boundMs }, sides),
  }
}

const sumOf = (sides: readonly { bad: number; total: number }[]) => ({
  bad: sides.reduce((sum, { bad }) => sum + bad, 0),
  total: sides.reduce((sum, { total }) => sum + total, 0),
})
