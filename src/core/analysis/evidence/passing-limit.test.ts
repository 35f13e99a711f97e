import fc from 'fast-check'
import { expect, it } from 'vitest'
import { simulatedSettings } from '../../../testkit/simulator/settings.ts'
import { bucketOf, LATENCY_BUCKETS } from '../../shared/histogram.ts'
import { addSides, type Batch, noRequests, type SideCounts } from '../batch.ts'
import { type Check, checksOf } from '../check.ts'
import { addBatch, type CheckState, evidenceNow, isAboutErrors, newCheckState } from '../judge.ts'
import { checkEvidence } from './check-evidence.ts'
import type { Look } from './trail.ts'

/** Limits of an absolute share with their caps for each batch, and what hangs on stable. */
const CHECKS = checksOf(
  simulatedSettings({
    analysis: {
      critical: { errorRatePercent: 1, p99Ms: 1000, p95TimesStable: 2, errorPointsOverStable: 5 },
      warning: {},
    },
  }).analysis,
).filter(({ kind, name }) => kind !== 'compare' || name === 'errors against stable')

const FAST_MS = 30
const SLOW_MS = 20_000

/** So many requests of one kind of bad ones; fractions are as good as whole ones here. */
function side(check: Check, { size, share }: { size: number; share: number }): SideCounts {
  const bad = share * size
  const latencyBuckets = new Array<number>(LATENCY_BUCKETS).fill(0)
  latencyBuckets[bucketOf(FAST_MS)] = isAboutErrors(check) ? size : size - bad
  if (!isAboutErrors(check)) latencyBuckets[bucketOf(SLOW_MS)] = bad
  return { requests: size, errors: isAboutErrors(check) ? bad : 0, latencyBuckets }
}

type Row = {
  candidate: { size: number; share: number }
  stable: { size: number; share: number }
  phi: number
}

function judged(check: Check, rows: readonly Row[]): { looks: Look[]; state: CheckState; peak: number } {
  let state = newCheckState(check)
  let counted = { candidate: noRequests(), stable: noRequests() }
  let peak = Number.NEGATIVE_INFINITY
  const looks = rows.map(({ phi, ...of }, index): Look => {
    const at = 1000 * (index + 1)
    const sides = { candidate: side(check, of.candidate), stable: side(check, of.stable) }
    const batch: Batch = { at, sinceAt: at - 1000, ...sides, requests: 0, unroutable: 0, cutOnDrain: 0 }
    counted = {
      candidate: addSides(counted.candidate, sides.candidate),
      stable: addSides(counted.stable, sides.stable),
    }
    const dispersion = { errors: phi, latency: phi }
    state = addBatch(check, state, batch, { counted, dispersion, isWarmingUp: false })
    const logE = evidenceNow(check, state)
    peak = Math.max(peak, logE)
    const known = { phi, evidence: 'full' as const, minutes: 60 }
    const dispersions = { errors: known, latency: known }
    return { batch, isWarmingUp: false, dispersions, checks: [{ logE, boundMs: state.boundMs }] }
  })
  return { looks, state, peak }
}

const passingOf = (check: Check, rows: readonly Row[]) => {
  const { looks, state } = judged(check, rows)
  const dispersion = { phi: rows.at(-1)?.phi ?? 1, evidence: 'full' as const, minutes: 60 }
  const said = { verdict: 'watching' as const, sentence: '', threshold: '', dispersion }
  return checkEvidence({ check, state, index: 0 }, looks, said)
}

const share = fc.oneof(
  fc.constantFrom(0, 1),
  fc.double({ min: 0, max: 0.05, noNaN: true }),
  fc.double({ min: 0, max: 1, noNaN: true }),
)
const counts = fc.record({ size: fc.oneof(fc.constant(0), fc.nat(2000), fc.nat(200)), share })
const rows = fc.array(fc.record({ candidate: counts, stable: counts, phi: fc.constantFrom(1, 1, 2, 6) }), {
  minLength: 1,
  maxLength: 30,
})

it.each(CHECKS.map((check) => [check.name, check] as const))(
  'what would have passed %s crosses nowhere when it is judged itself, and a little more does',
  (_, check) => {
    fc.assert(
      fc.property(rows, (table) => {
        const { passing, threshold } = passingOf(check, table)
        if (passing === null) return
        const at = (level: number): number =>
          judged(
            check,
            table.map((row) => ({ ...row, candidate: { ...row.candidate, share: Math.min(1, level) } })),
          ).peak
        expect(at(passing * (1 - 1e-9))).toBeLessThan(threshold)
        if (passing > 1e-6 && passing < 0.999)
          expect(at(passing * (1 + 1e-6))).toBeGreaterThanOrEqual(threshold)
      }),
      { numRuns: 150, seed: 20_261_121 },
    )
  },
)
