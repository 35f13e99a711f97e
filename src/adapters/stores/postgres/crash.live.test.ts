import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import * as z from 'zod'
import type { Store } from '../../../ports/store.ts'
import { kill } from '../../../testkit/kill.test.kit.ts'
import {
  type PostgresServer,
  postgresMissing,
  startPostgres,
} from '../../../testkit/servers/postgres.test.kit.ts'
import { createPostgresStore } from './store.ts'
import { startWire, type Wire } from './wire.test.kit.ts'

const WRITER_ROUNDS = 20
const SERVER_ROUNDS = 5
const ANY_TIME = Number.MAX_SAFE_INTEGER
const LONG_LEASE_MS = 10 * 60_000
const ADA = { name: 'ada', pid: 1, host: 'here', startedAt: 1 }
const State = z.object({ count: z.int(), sum: z.int() })
const Added = z.object({ amount: z.int() })

/** Takes the lease as soon as it is free, and appends until it is killed or refused. Says each revision after its commit. */
const WRITER = `
const [, storeUrl, url, schema, leaseMs] = process.argv
const { writeSync } = await import('node:fs')
const { createPostgresStore } = await import(storeUrl)
const must = (result) => { if (result.kind === 'ok') return result.value; throw new Error(JSON.stringify(result.problem)) }
const store = must(await createPostgresStore({ url, schema }))
must(await store.join({ name: 'writer', pid: process.pid, host: 'here', startedAt: Date.now() }))
let lease
while (lease === undefined) lease = must(await store.claim({ now: ${ANY_TIME}, leaseMs: Number(leaseMs), limit: 1 }))[0]
writeSync(1, 'held ' + lease.epoch + '\\n')
for (;;) {
  const kept = await store.load('shop')
  if (kept.kind === 'failed') { writeSync(1, 'said ' + kept.problem.code + '\\n'); continue }
  const { revision, state } = kept.value
  const events = Array.from({ length: 1 + revision % 3 }, (_, n) => ({ kind: 'added', event: { amount: revision + n, pad: 'x'.repeat(200) } }))
  const next = revision + events.length
  const message = { type: 't', timestamp: 'now', severity: 'info', summary: 's', data: {} }
  const answer = await store.append({ stream: 'shop', expectedRevision: revision, epoch: lease.epoch, at: revision, events, schemaVersion: 1, due: next,
    state: { count: state.count + events.length, sum: events.reduce((total, { event }) => total + event.amount, state.sum) },
    messages: [{ channel: 'hook', key: String(next), message }], documents: [{ kind: 'step', id: String(next), stream: 'shop', at: next, body: next }] })
  if (answer.kind === 'ok') writeSync(1, 'wrote ' + answer.value.revision + '\\n')
  else writeSync(1, 'said ' + answer.problem.code + '\\n')
  if (answer.kind === 'failed' && answer.problem.code === 'STORE_FENCED') break
}
await store.close()
`

describe.skipIf(postgresMissing !== null)(
  `postgres store under kill -9${postgresMissing === null ? '' : ` (${postgresMissing})`}`,
  () => {
    let server: PostgresServer
    let store: Store
    let round = 0
    let schema = ''
    let writer: ChildProcess | null = null
    let wire: Wire | null = null
    beforeAll(async () => {
      server = await startPostgres()
    })
    afterAll(() => server?.dispose())
    beforeEach(async () => {
      round += 1
      schema = `crash_${round}`
      store = await joined(server.url)
      await begin(store)
    })
    afterEach(async () => {
      if (writer !== null) await kill(writer)
      writer = null
      await store.close()
      await wire?.close()
      wire = null
    })

    async function joined(url: string): Promise<Store> {
      const opened = valueIn(await createPostgresStore({ url, schema }))
      valueIn(await opened.join(ADA))
      return opened
    }

    it(`loses no acknowledged event in ${WRITER_ROUNDS} kills of a writer at random moments (HAR7)`, async () => {
      let acknowledged = 0
      for (let turn = 1; turn <= WRITER_ROUNDS; turn += 1) {
        const started = startWriter({ url: server.url, schema, leaseMs: 100 })
        writer = started.child
        await started.until(() => started.numbers('wrote').length >= 2)
        await delay(Math.random() * 40)
        await kill(writer)
        expect(started.numbers('held'), `round ${turn}`).toEqual([turn])
        acknowledged = Math.max(acknowledged, ...started.numbers('wrote'))
        expect(await checkedRevision(store), `round ${turn}`).toBeGreaterThanOrEqual(acknowledged)
      }
      expect(acknowledged).toBeGreaterThan(WRITER_ROUNDS * 3)
    })

    it(`loses nothing acknowledged in ${SERVER_ROUNDS} kills of the server, and the same handles go on`, async () => {
      const heard = new Set<string>()
      const stop = store.listen((stream) => heard.add(stream))
      const started = startWriter({ url: server.url, schema, leaseMs: LONG_LEASE_MS })
      writer = started.child
      for (let turn = 1; turn <= SERVER_ROUNDS; turn += 1) {
        const before = started.numbers('wrote').length
        await started.until(() => started.numbers('wrote').length >= before + 3)
        await delay(Math.random() * 40)
        const failures = started.said('STORE_UNREACHABLE')
        await server.kill()
        await started.until(() => started.said('STORE_UNREACHABLE') > failures)
        const acknowledged = Math.max(...started.numbers('wrote'))
        expect(await store.load('shop')).toMatchObject({
          problem: { code: 'STORE_UNREACHABLE', retryable: true },
        })
        await server.start()
        await expect.poll(async () => (await store.load('shop')).kind, { timeout: 20_000 }).toBe('ok')
        expect(await checkedRevision(store), `round ${turn}`).toBeGreaterThanOrEqual(acknowledged)
      }
      heard.clear()
      await expect.poll(() => heard.has('shop'), { timeout: 30_000 }).toBe(true)
      stop()
      expect(started.said('STORE_FENCED')).toBe(0)
      await kill(started.child)
      await checkedRevision(store)
    })

    it('refuses what a frozen holder writes after its lease was taken, by the epoch alone (S116)', async () => {
      const started = startWriter({ url: server.url, schema, leaseMs: 400 })
      writer = started.child
      await started.until(() => started.numbers('wrote').length >= 2)
      writer.kill('SIGSTOP')
      // A transaction that was frozen half-way keeps its rows until the server ends it, so this may take a while.
      const taken = async () =>
        valueIn(await store.claim({ now: ANY_TIME, leaseMs: LONG_LEASE_MS, limit: 1 }))
      await expect.poll(taken, { timeout: 40_000, interval: 50 }).toEqual([{ stream: 'shop', epoch: 2 }])
      const atTaking = await checkedRevision(store)
      writer.kill('SIGCONT')
      await once(writer, 'exit')
      expect(started.said('STORE_FENCED')).toBe(1)
      expect(await checkedRevision(store)).toBe(atTaking)
      expect(valueIn(await store.leases())).toMatchObject([{ epoch: 2, controller: ADA }])
      const events = [{ kind: 'added', event: { amount: 0 } }]
      const mine = {
        stream: 'shop',
        at: 1,
        schemaVersion: 1,
        state: {},
        due: null,
        messages: [],
        documents: [],
      }
      const written = await store.append({ ...mine, events, epoch: 2, expectedRevision: atTaking })
      expect(valueIn(written)).toEqual({ revision: atTaking + 1 })
    })

    it('never makes a change twice whose answer was lost (S113)', async () => {
      wire = await startWire(server.port)
      const far = await joined(server.url.replace(`:${server.port}/`, `:${wire.port}/`))
      const revision = await checkedRevision(store)
      const of = {
        stream: 'shop',
        expectedRevision: revision,
        epoch: null,
        at: 1,
        schemaVersion: 1,
        due: null,
      }
      const events = [{ kind: 'added', event: { amount: 5 } }]
      const request = { ...of, events, state: { count: revision + 1, sum: 5 }, messages: [], documents: [] }
      wire.cutAfter('COMMIT')
      const lost = await far.append(request)
      expect(lost).toMatchObject({ problem: { code: 'STORE_UNREACHABLE', retryable: true } })
      expect(lost).toMatchObject({ problem: { message: expect.stringContaining('not known') } })
      expect(await far.append(request)).toMatchObject({
        problem: { code: 'STORE_CONFLICT', retryable: true },
      })
      expect(valueIn(await far.load('shop'))?.revision).toBe(revision + 1)
      await far.close()
    })

    it('gives up on a server that takes calls and never answers, and goes on when it does', async () => {
      wire = await startWire(server.port)
      const far = await joined(server.url.replace(`:${server.port}/`, `:${wire.port}/`))
      wire.hold()
      expect(await far.load('shop')).toMatchObject({
        problem: { code: 'STORE_UNREACHABLE', retryable: true },
      })
      wire.goOn()
      await expect.poll(async () => (await far.load('shop')).kind, { timeout: 30_000 }).toBe('ok')
      await far.close()
    })

    it('survives the end of connections that nobody was using', async () => {
      await server.sql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'sluice %'",
      )
      await expect.poll(async () => (await store.load('shop')).kind, { timeout: 10_000 }).toBe('ok')
    })

    it('says STORE_FULL on a full disk, keeps what was acknowledged, and goes on when there is space again', async ({
      skip,
    }) => {
      const mounted = mkdtempSync(join(tmpdir(), 'sluice-small-'))
      const mount = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'sluice-test', mounted])
      if (mount.status !== 0) {
        rmSync(mounted, { recursive: true })
        skip(`a small tmpfs cannot be mounted: ${mount.error?.message ?? mount.stderr.toString().trim()}`)
      }
      try {
        const { uid, gid } = statSync(`/proc/${server.pid()}`)
        chownSync(mounted, uid, gid)
        await fillUpAndGoOn(mounted)
      } finally {
        await server.sql(`DROP SCHEMA IF EXISTS small CASCADE`)
        await server.sql('DROP TABLESPACE IF EXISTS small')
        spawnSync('umount', [mounted])
        rmSync(mounted, { recursive: true })
      }
    })

    async function fillUpAndGoOn(mounted: string): Promise<void> {
      await server.sql(`CREATE TABLESPACE small LOCATION '${mounted}'`)
      await server.sql('ALTER DATABASE postgres SET default_tablespace = small')
      schema = 'small'
      const small = await joined(server.url)
      await server.sql('ALTER DATABASE postgres RESET default_tablespace')
      let revision = 0
      // Of no pattern, so that the server cannot press it together.
      const pad = Array.from({ length: 60_000 }, () => Math.random().toString(36).at(-1)).join('')
      const append = () => {
        const of = { stream: 'shop', expectedRevision: revision, epoch: null, at: 1, schemaVersion: 1 }
        const events = [{ kind: 'added', event: { pad } }]
        return small.append({ ...of, due: null, events, state: { revision }, messages: [], documents: [] })
      }
      let result = await append()
      for (; result.kind === 'ok' && revision < 1000; result = await append())
        revision = result.value.revision
      expect(result).toMatchObject({ problem: { code: 'STORE_FULL', retryable: true } })
      expect(revision).toBeGreaterThan(5)
      expect(await append()).toMatchObject({ problem: { code: 'STORE_FULL' } })
      expect(valueIn(await small.load('shop'))).toMatchObject({ revision, state: { revision: revision - 1 } })
      spawnSync('mount', ['-o', 'remount,size=16m', mounted])
      expect(valueIn(await append())).toEqual({ revision: revision + 1 })
      await small.close()
    }
  },
)

async function begin(store: Store): Promise<void> {
  const rest = { at: 0, schemaVersion: 1, state: { count: 0, sum: 0 }, due: 0, messages: [], documents: [] }
  valueIn(await store.append({ stream: 'shop', expectedRevision: 0, epoch: null, events: [], ...rest }))
}

function startWriter({ url, schema, leaseMs }: { url: string; schema: string; leaseMs: number }) {
  const storeUrl = new URL('./store.ts', import.meta.url).href
  const args = ['--input-type=module', '-e', WRITER, storeUrl, url, schema, `${leaseMs}`]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  let [text, errors] = ['', '']
  child.stdout.on('data', (chunk) => {
    text += chunk
  })
  child.stderr.on('data', (chunk) => {
    errors += chunk
  })
  const lines = (word: string) =>
    text
      .split('\n')
      .slice(0, -1)
      .filter((line) => line.startsWith(`${word} `))
      .map((line) => line.slice(word.length + 1))
  const until = async (done: () => boolean) => {
    const deadline = Date.now() + 30_000
    while (!done()) {
      if (Date.now() > deadline || child.exitCode !== null)
        throw new Error(`the writer got stuck: ${text.slice(-200)} ${errors}`)
      await delay(2)
    }
  }
  return {
    child,
    until,
    numbers: (word: string) => lines(word).map(Number),
    said: (code: string) => lines('said').filter((said) => said === code).length,
  }
}

/** Checks that all parts of one moment agree with each other, and answers with the revision. */
async function checkedRevision(store: Store): Promise<number> {
  const kept = { revision: 0, state: { count: 0, sum: 0 } }
  const sequences: number[] = []
  const messages: string[] = []
  const documents: string[] = []
  let sum = 0
  valueIn(
    await store.dump((row) => {
      if (row.row === 'stream') Object.assign(kept, { revision: row.revision, state: State.parse(row.state) })
      if (row.row === 'event') sequences.push(row.sequence)
      if (row.row === 'event') sum += Added.parse(row.event).amount
      if (row.row === 'message') messages.push(row.key)
      if (row.row === 'document') documents.push(row.id)
    }),
  )
  expect(sequences).toEqual(Array.from({ length: kept.revision }, (_, n) => n + 1))
  expect(kept.state).toEqual({ count: kept.revision, sum })
  expect(documents).toEqual(messages)
  if (kept.revision > 0) expect(messages.at(-1)).toBe(`${kept.revision}`)
  return kept.revision
}

function valueIn<T>(
  result: { kind: 'ok'; value: T } | { kind: 'failed'; problem: { code: string; message: string } },
): T {
  if (result.kind === 'ok') return result.value
  throw new Error(`${result.problem.code}: ${result.problem.message}`)
}
