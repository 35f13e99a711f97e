import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Pool } from 'pg'
import type { Lease, Store } from '../../src/ports/store.ts'
import { measured, orMissing, type Row, spread } from '../kit/row.ts'
import type { Fleet } from './fleet.ts'
import type { StorePlace } from './messages.ts'
import { openPlace } from './place.ts'

const AT_ONCE = [1, 32]
const CONNECTIONS = 10

type Commits = { runs: number; forMs: number; say: (text: string) => unknown }
type Rate = { ours: number; raw: number }

/** Durable commits of a second: decisions by the store, and bare inserts of a row of the same size through the same driver. */
export async function commitRows(fleet: Fleet, kind: StorePlace['kind'], of: Commits): Promise<Row[]> {
  return orMissing(`${kind}: commits`, async () => {
    const most = Math.max(...AT_ONCE)
    const store = await openPlace(await fleet.place(kind, most))
    const raw = kind === 'sqlite' ? rawSqlite() : await rawPostgres(fleet.server?.url ?? '')
    try {
      const claimed = await store.claim({ now: Number.MAX_SAFE_INTEGER, leaseMs: 600_000, limit: most })
      if (claimed.kind === 'failed') throw new Error(claimed.problem.message)
      const rows: Row[] = []
      for (const atOnce of AT_ONCE) {
        const writers = await Promise.all(
          claimed.value.slice(0, atOnce).map((lease) => writerOf(store, lease)),
        )
        const rates: Rate[] = []
        for (let run = 0; run < of.runs; run += 1) {
          const ours = await rateOf(
            writers.map(({ commit }) => commit),
            of.forMs,
          )
          const bare = await rateOf(
            writers.map(
              ({ text }) =>
                () =>
                  raw.insert(text),
            ),
            of.forMs,
          )
          rates.push({ ours, raw: bare })
        }
        rows.push(...rowsOf(`${kind}, ${atOnce === 1 ? 'one stream' : `${atOnce} streams at once`}`, rates))
      }
      return rows
    } finally {
      await raw.end()
      await store.close()
    }
  })
}

/** Commits the state of a rollout in progress again and again, each time with one event. */
async function writerOf(
  store: Store,
  { stream, epoch }: Lease,
): Promise<{ commit(): Promise<void>; text: string }> {
  const loaded = await store.load(stream)
  if (loaded.kind === 'failed' || loaded.value === null) throw new Error(`${stream} is missing`)
  const { state, schemaVersion } = loaded.value
  let { revision } = loaded.value
  const event = {
    kind: 'step-started',
    event: { kind: 'step-started', at: 0, index: 0, note: 'x'.repeat(600) },
  }
  const commit = async (): Promise<void> => {
    const done = await store.append({
      stream,
      expectedRevision: revision,
      epoch,
      at: Date.now(),
      events: [event],
      schemaVersion,
      state,
      due: 1,
      messages: [],
      documents: [],
    })
    if (done.kind === 'failed') throw new Error(done.problem.message)
    revision = done.value.revision
  }
  return { commit, text: JSON.stringify(state) }
}

async function rateOf(commits: readonly (() => Promise<void>)[], forMs: number): Promise<number> {
  const began = performance.now()
  let made = 0
  await Promise.all(
    commits.map(async (commit) => {
      while (performance.now() - began < forMs) {
        await commit()
        made += 1
      }
    }),
  )
  return (made * 1000) / (performance.now() - began)
}

type Raw = { insert(text: string): Promise<void>; end(): Promise<void> }

function rawSqlite(): Raw {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-bench-raw-'))
  const db = new DatabaseSync(join(folder, 'raw.db'))
  db.exec(
    'PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE raw (id INTEGER PRIMARY KEY, body TEXT)',
  )
  const insert = db.prepare('INSERT INTO raw (body) VALUES (?)')
  return {
    insert: async (text) => void insert.run(text),
    end: async () => {
      db.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

async function rawPostgres(url: string): Promise<Raw> {
  const pool = new Pool({ connectionString: url, max: CONNECTIONS })
  await pool.query(
    'CREATE TABLE IF NOT EXISTS raw (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, body text)',
  )
  return {
    insert: async (text) => void (await pool.query('INSERT INTO raw (body) VALUES ($1)', [text])),
    end: () => pool.end(),
  }
}

function rowsOf(what: string, rates: readonly Rate[]): Row[] {
  const row = (name: string, unit: string, pick: (rate: Rate) => number): Row =>
    measured(`${what}: ${name}`, { unit, points: spread(rates.map(pick)), runs: rates.length })
  return [
    row('decisions committed', 'commits/s', ({ ours }) => ours),
    row('bare inserts by the same driver', 'commits/s', ({ raw }) => raw),
    row('decisions per bare insert', 'x', ({ ours, raw }) => ours / raw),
  ]
}
