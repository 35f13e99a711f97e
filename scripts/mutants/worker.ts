import { parentPort } from 'node:worker_threads'
import type { SeedReport } from '../../src/testkit/simulator/engine/run-seed.ts'
import { oneSeed } from './one-seed.ts'
import { installOverlay, mutantUrl } from './overlay.ts'

/** Seeds in the order in which they are tried. */
export type Job = {
  name: string
  file: string
  source: string
  store: 'memory' | 'sqlite'
  seeds: readonly { from: number; count: number }[]
}
export type Found = { seed: number; rule: string }
/** `tried` comes after each seed and says that the worker lives. `unfit` are seeds that fail without the mutation, too. */
export type Answer = { kind: 'tried' } | { kind: 'done'; found: Found | null; tried: number; unfit: number }

const RULE_LIMIT = 140

installOverlay()
parentPort?.on('message', (job: Job) => {
  void hunt(job).then((answer) => parentPort?.postMessage(answer))
})

/** The first seed that fails with the mutation and holds without it. */
async function hunt({ seeds, store, ...mutant }: Job): Promise<Answer> {
  const mutated = await mutatedRun(mutant)
  let tried = 0
  let unfit = 0
  for (const { from, count } of seeds)
    for (let seed = from; seed < from + count; seed += 1) {
      tried += 1
      const { failure } = await mutated({ seed, store })
      if (failure !== null) {
        const isKiller = (await oneSeed({ seed, store })).failure === null
        if (isKiller) return { kind: 'done', found: { seed, rule: ruleOf(failure) }, tried, unfit }
        unfit += 1
      }
      parentPort?.postMessage({ kind: 'tried' } satisfies Answer)
    }
  return { kind: 'done', found: null, tried, unfit }
}

async function mutatedRun(mutant: Pick<Job, 'name' | 'file' | 'source'>): Promise<typeof oneSeed> {
  const url = mutantUrl(new URL('./one-seed.ts', import.meta.url), mutant)
  const loaded: { oneSeed: (of: Parameters<typeof oneSeed>[0]) => Promise<SeedReport> } = await import(url)
  return loaded.oneSeed
}

/** What the simulator said, without the time at which it said so. */
const ruleOf = (failure: string): string =>
  failure
    .replace(/^[\d.]+s /, '')
    .split('\n', 1)
    .join('')
    .slice(0, RULE_LIMIT)
