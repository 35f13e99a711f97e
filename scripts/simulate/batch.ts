import { Worker } from 'node:worker_threads'
import { runSeed } from '../../src/testkit/simulator/engine/run-seed.ts'
import { sqliteSource } from './sqlite-source.ts'
import type { Totals } from './totals.ts'
import { addReport, addTotals, noSeeds } from './totals.ts'

/** Few enough that the workers end at about the same time. */
const SEEDS_AT_A_TIME = 20
/** After so many failures the rest says nothing new. */
const FAILURE_LIMIT = 10

export type StoreKind = 'memory' | 'sqlite'
export type Chunk = { from: number; seeds: number; store: StoreKind }
export type BatchOptions = Chunk & { workers: number; onProgress?: (totals: Totals) => void }

/** Runs the seeds one after the other in this thread. */
export async function runChunk({ from, seeds, store }: Chunk): Promise<Totals> {
  const totals = noSeeds()
  for (let seed = from; seed < from + seeds; seed += 1) {
    const source = store === 'sqlite' ? { source: await sqliteSource() } : {}
    addReport(totals, await runSeed({ seed, ...source }))
  }
  return totals
}

/** Hands the seeds out to workers, a few at a time. */
export async function runBatch({ from, seeds, store, workers, onProgress }: BatchOptions): Promise<Totals> {
  const totals = noSeeds()
  let next = from
  const take = (): Chunk | null => {
    if (next >= from + seeds || totals.failures.length >= FAILURE_LIMIT) return null
    const chunk = { from: next, seeds: Math.min(SEEDS_AT_A_TIME, from + seeds - next), store }
    next += chunk.seeds
    return chunk
  }
  const note = (more: Totals): void => {
    addTotals(totals, more)
    onProgress?.(totals)
  }
  if (workers <= 1) for (let chunk = take(); chunk !== null; chunk = take()) note(await runChunk(chunk))
  else await Promise.all(Array.from({ length: workers }, () => work(take, note)))
  return totals
}

function work(take: () => Chunk | null, note: (totals: Totals) => void): Promise<void> {
  const first = take()
  if (first === null) return Promise.resolve()
  const worker = new Worker(new URL('./worker.ts', import.meta.url), {
    resourceLimits: { maxYoungGenerationSizeMb: 64 },
  })
  return new Promise((resolve, reject) => {
    worker.on('error', reject)
    worker.on('message', (totals: Totals) => {
      note(totals)
      const chunk = take()
      if (chunk !== null) return worker.postMessage(chunk)
      worker.terminate().then(() => resolve(), reject)
    })
    worker.postMessage(first)
  })
}
