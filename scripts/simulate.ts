import { parseArgs } from 'node:util'
import { runSeed } from '../src/testkit/simulator/engine/run-seed.ts'
import type { StoreKind } from './simulate/batch.ts'
import { runBatch } from './simulate/batch.ts'
import { shrink } from './simulate/shrink.ts'
import { sqliteSource } from './simulate/sqlite-source.ts'
import { summary } from './simulate/totals.ts'

// `npm run simulate -- --seeds N [--from S] [--workers W] [--store sqlite]`, or one seed: `--seed X [--trace] [--without 1,2] [--until-ms N]`.
// The last line is the sum, the exit code is 1 when a seed failed.

const SHOWN_FAILURES = 5
const TRACE_LINES_AFTER_FAILURE = 20
const PROGRESS_EVERY_MS = 15_000

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '200' },
    from: { type: 'string', default: '1' },
    workers: { type: 'string', default: '2' },
    store: { type: 'string', default: 'memory' },
    seed: { type: 'string' },
    trace: { type: 'boolean', default: false },
    without: { type: 'string', default: '' },
    'until-ms': { type: 'string' },
    'no-shrink': { type: 'boolean', default: false },
  },
})

const store: StoreKind = values.store === 'sqlite' ? 'sqlite' : 'memory'
const failures = values.seed === undefined ? await many() : await one(Number(values.seed))
process.exitCode = failures === 0 ? 0 : 1

async function many(): Promise<number> {
  const [seeds, from, workers] = [Number(values.seeds), Number(values.from), Number(values.workers)]
  const began = performance.now()
  let toldAt = began
  const totals = await runBatch({
    from,
    seeds,
    store,
    workers,
    onProgress: ({ seeds: done, failures }) => {
      if (performance.now() - toldAt < PROGRESS_EVERY_MS) return
      toldAt = performance.now()
      const failed = failures.length === 0 ? '' : `, failed: ${failures.map(({ seed }) => seed).join(', ')}`
      console.log(`${done} of ${seeds} seeds${failed}`)
    },
  })
  console.log(summary(totals, { tookMs: performance.now() - began, workers }))
  for (const { seed } of totals.failures.slice(0, SHOWN_FAILURES)) await explain(seed)
  const failed = totals.failures.length
  console.log(`\n${totals.seeds - failed} passed, ${failed} failed, 0 skipped`)
  return failed
}

/** What failed, in the fewest moves that still fail, and the command that shows it again. */
async function explain(seed: number): Promise<void> {
  const first = await runSeed({ seed, ...(await placeFor()) })
  console.log(
    `\nseed ${seed}: ${first.failure ?? 'failed once and not again; the simulation is not deterministic here'}`,
  )
  if (first.failure === null) return
  const isShrinkable = store === 'memory' && !values['no-shrink']
  const { without, report } = isShrinkable
    ? await shrink(first, {})
    : { without: new Set<number>(), report: first }
  for (const [index, move] of report.moves.entries()) if (!without.has(index)) console.log(`  ${move}`)
  if (isShrinkable) console.log(`  then: ${report.failure ?? ''}`)
  const left = without.size === 0 ? '' : ` --without ${[...without].sort((a, b) => a - b).join(',')}`
  const where = store === 'memory' ? '' : ` --store ${store}`
  console.log(`  replay: npm run simulate -- --seed ${seed} --trace${left}${where}`)
}

async function one(seed: number): Promise<number> {
  const without = new Set(values.without === '' ? [] : values.without.split(',').map(Number))
  const until = values['until-ms'] === undefined ? {} : { untilMs: Number(values['until-ms']) }
  const report = await runSeed({ seed, trace: values.trace, without, ...until, ...(await placeFor()) })
  for (const [index, move] of report.moves.entries())
    console.log(`${without.has(index) ? 'left out ' : ''}${move}`)
  const end = report.trace.findIndex((line) => line.includes('VIOLATION'))
  for (const line of end < 0 ? report.trace : report.trace.slice(0, end + TRACE_LINES_AFTER_FAILURE))
    console.log(line)
  console.log(`seed ${seed}: ${report.failure ?? 'holds'}`)
  return report.failure === null ? 0 : 1
}

async function placeFor() {
  return store === 'sqlite' ? { source: await sqliteSource() } : {}
}
