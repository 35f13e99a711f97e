import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { createSqliteStore } from '../../src/adapters/stores/sqlite/store.ts'
import type { AppendRequest } from '../../src/ports/store.ts'

const RUNS = 5
const COMMITS_PER_RUN = 400

/** Durable commits per second; each is one event, the state, one message and one document, synced to disk. */
export type StoreBench = {
  runs: number
  commitsPerRun: number
  commitsPerSecond: { min: number; median: number; max: number }
}

/** Appends one after the other, as the engine does, to a fresh file in the given folder. */
export async function benchStore(parent = tmpdir()): Promise<StoreBench> {
  const rates: number[] = []
  for (let run = 0; run < RUNS; run += 1) rates.push(await oneRun(parent))
  rates.sort((a, b) => a - b)
  const at = (index: number) => Math.round(rates[index] ?? 0)
  const commitsPerSecond = { min: at(0), median: at(Math.floor(RUNS / 2)), max: at(RUNS - 1) }
  return { runs: RUNS, commitsPerRun: COMMITS_PER_RUN, commitsPerSecond }
}

async function oneRun(parent: string): Promise<number> {
  const folder = mkdtempSync(join(parent, 'sluice-bench-store-'))
  try {
    const opened = await createSqliteStore({ file: join(folder, 'state.db') })
    if (opened.kind === 'failed') throw new Error(opened.problem.message)
    const store = opened.value
    await store.join({ name: 'bench', pid: process.pid, host: 'bench', startedAt: 0 })
    const began = performance.now()
    for (let revision = 0; revision < COMMITS_PER_RUN; revision += 1) {
      const done = await store.append(requestFor(revision))
      if (done.kind === 'failed') throw new Error(done.problem.message)
    }
    const seconds = (performance.now() - began) / 1000
    await store.close()
    return COMMITS_PER_RUN / seconds
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function requestFor(revision: number): AppendRequest {
  const message = {
    type: 'bench',
    timestamp: '2026-01-01T00:00:00Z',
    severity: 'info' as const,
    summary: 'Bench.',
    data: {},
  }
  return {
    stream: 'shop',
    expectedRevision: revision,
    epoch: null,
    at: revision,
    events: [{ kind: 'noted', event: { weight: revision % 100, note: 'x'.repeat(300) } }],
    schemaVersion: 1,
    state: { step: revision, text: 'x'.repeat(3000) },
    due: revision,
    messages: [{ channel: 'hook', key: `${revision}`, message }],
    documents: [
      { kind: 'rollout', id: 'r1', stream: 'shop', at: revision, body: { revision, text: 'x'.repeat(1000) } },
    ],
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  process.stdout.write(`${JSON.stringify(await benchStore())}\n`)
}
