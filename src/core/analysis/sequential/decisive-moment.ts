import { logMeanExp, weightsOf } from '../e-process.ts'
import { type Batch, sizeOf } from './batch.ts'
import type { Metric } from './metric.ts'
import { directionsOf, questionsOf, worseAlternatives } from './question.ts'
import { addBatch, logEvidences, newState, type SequentialState, verdictOf } from './state.ts'

/**
 * The batches that decide: for `worse` those up to the highest evidence, otherwise all of them; and the direction in
 * which the evidence is strongest. What is concluded there holds however the moment was chosen, since the evidence is
 * valid at all times together.
 */
export type DecisiveMoment = {
  /** 0: the only one, or "more is worse"; 1: the other one of `either`. */
  direction: number
  cells: readonly Cell[]
}

/** One batch: sizes, bad ones for each bound, and what its evidence is divided by. */
type Cell = { n: number; m: number; x: readonly number[]; y: readonly number[]; dispersion: number }

/** A batch for which another dispersion was known than that of the metric. */
export type DispersedBatch = Batch & { dispersion?: number }

export function decisiveMoment(metric: Metric, batches: readonly Batch[], alpha: number): DecisiveMoment {
  const state = stateThatDecides(metric, batches, alpha)
  const evidences = logEvidences(state.worse, directionsOf(metric))
  const direction = evidences.indexOf(Math.max(...evidences))
  return { direction, cells: cellsOf(metric, batches.slice(0, state.batches), direction) }
}

/** The same where it is known which batches decide, and in which direction. */
export const momentOf = (
  metric: Metric,
  deciding: readonly DispersedBatch[],
  direction = 0,
): DecisiveMoment => ({ direction, cells: cellsOf(metric, deciding, direction) })

function cellsOf(metric: Metric, batches: readonly DispersedBatch[], direction: number): Cell[] {
  return batches
    .filter(({ candidate, stable }) => sizeOf(candidate) > 0 && sizeOf(stable) > 0)
    .map((batch) => cellOf(metric, batch, direction))
}

function stateThatDecides(metric: Metric, batches: readonly Batch[], alpha: number): SequentialState {
  let state = newState()
  let highest = state
  for (const batch of batches) {
    state = addBatch(metric, state, batch)
    if (state.peak > highest.peak) highest = state
  }
  return verdictOf(metric, state, alpha).verdict === 'worse' ? highest : state
}

function cellOf(metric: Metric, batch: DispersedBatch, direction: number): Cell {
  const pairs = questionsOf(metric, batch)[direction] ?? []
  const [first] = pairs
  return {
    n: first?.candidate.total ?? 0,
    m: first?.stable.total ?? 0,
    x: pairs.map(({ candidate }) => candidate.bad),
    y: pairs.map(({ stable }) => stable.bad),
    dispersion: batch.dispersion ?? metric.dispersion,
  }
}

/**
 * All cells for one alternative and one tolerated ratio: what the bad ones of both sides weigh (for each bound), what one
 * of each request would weigh, and what a tolerated share of 1 costs. Evidence is linear in all of them.
 */
export type Weighed = { x: number[]; y: number[]; n: number; m: number; cost: number }

export function weigh(metric: Metric, cells: readonly Cell[], ratio: number): Weighed[] {
  const tolerance = { ratio, share: 1 }
  return worseAlternatives(metric).map((worse) => {
    const x = new Array<number>(cells[0]?.x.length ?? 1).fill(0)
    const y = [...x]
    const sums = { n: 0, m: 0, cost: 0 }
    for (const cell of cells) {
      const weights = weightsOf(cell.n, cell.m, { tolerance, worse })
      const logA = weights.logA / cell.dispersion
      const logC = weights.logC / cell.dispersion
      for (let bound = 0; bound < x.length; bound += 1) {
        x[bound] = (x[bound] ?? 0) + (cell.x[bound] ?? 0) * logA
        y[bound] = (y[bound] ?? 0) + (cell.y[bound] ?? 0) * logC
      }
      sums.n += cell.n * logA
      sums.m += cell.m * logC
      sums.cost += weights.drift / cell.dispersion
    }
    return { x, y, ...sums }
  })
}

/** Log evidence from the terms of each alternative: the same as in the state, where nothing was changed. */
export const logEvidenceOf = (weighed: readonly Weighed[], terms: (of: Weighed) => number[]): number =>
  logMeanExp(weighed.flatMap(terms))
