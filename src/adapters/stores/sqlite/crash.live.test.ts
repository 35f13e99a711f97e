import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import * as z from 'zod'
import type { Store } from '../../../ports/store.ts'
import { kill } from '../../../testkit/kill.test.kit.ts'
import { createSqliteStore } from './store.ts'

const ROUNDS = 20
const CUTS = 60
const FLIPS = 300
const OWNER = { name: 'test', pid: process.pid, host: 'test', startedAt: 0 }
const State = z.object({ count: z.int(), sum: z.int() })
const Added = z.object({ amount: z.int() })

/** Appends until it is killed (or `last` is reached, then it waits), and says each revision after its commit. */
const WRITER = `
const [, storeUrl, file, last] = process.argv
const { statSync, writeSync } = await import('node:fs')
const { createSqliteStore } = await import(storeUrl)
const must = (result) => { if (result.kind === 'ok') return result.value; throw new Error(JSON.stringify(result.problem)) }
const store = must(await createSqliteStore({ file }))
must(await store.join({ name: 'writer', pid: process.pid, host: 'writer', startedAt: Date.now() }))
writeSync(1, 'owner\\n')
const loaded = must(await store.load('shop'))
let revision = loaded?.revision ?? 0
let state = loaded?.state ?? { count: 0, sum: 0 }
let [lease] = must(await store.claim({ now: Number.MAX_SAFE_INTEGER, leaseMs: 1, limit: 9 }))
while (revision < Number(last)) {
  const added = Array.from({ length: 1 + revision % 3 }, (_, n) => ({ kind: 'added', event: { amount: revision + n, pad: 'x'.repeat(200) } }))
  state = { count: state.count + added.length, sum: added.reduce((total, { event }) => total + event.amount, state.sum) }
  const next = revision + added.length
  const message = { type: 't', timestamp: 'now', severity: 'info', summary: 's', data: {} }
  must(await store.append({ stream: 'shop', expectedRevision: revision, epoch: lease?.epoch ?? null, at: revision, events: added, schemaVersion: 1, state, due: next,
    messages: [{ channel: 'hook', key: String(next), message }], documents: [{ kind: 'step', id: String(next), stream: 'shop', at: 1, body: next }] }))
  revision = next
  writeSync(1, revision + ' ' + statSync(file + '-wal').size + '\\n')
  lease ??= must(await store.claim({ now: next, leaseMs: 1, limit: 9 }))[0]
}
// From outside this frame, so that nothing here keeps the store reachable: the lock must hold all the same.
let collections = 0
setInterval(() => { globalThis.gc(); collections += 1; if (collections === 3) writeSync(1, 'idle\\n') }, 10)
`

describe('sqlite store under kill -9', () => {
  let folder = ''
  let file = ''
  let writer: ChildProcess | null = null
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'sluice-crash-'))
    file = join(folder, 'state', 'state.db')
  })
  afterEach(async () => {
    if (writer !== null) await kill(writer)
    writer = null
    rmSync(folder, { recursive: true })
  })

  it(`loses no acknowledged event in ${ROUNDS} kills at random moments on the same file (HAR7)`, async () => {
    let acknowledged = 0
    for (let round = 0; round < ROUNDS; round += 1) {
      const started = startWriter(file)
      writer = started.child
      await started.lines(3)
      await delay(Math.random() * 40)
      await kill(writer)
      acknowledged = Math.max(acknowledged, ...started.acknowledged().map(({ revision }) => revision))
      // Every second time a copy is looked at, so that the next writer has to recover the log by itself.
      const looked = round % 2 === 0 ? file : copyOf(`copy-${round}`)
      expect(await checkedRevision(looked), `round ${round}`).toBeGreaterThanOrEqual(acknowledged)
    }
    expect(acknowledged).toBeGreaterThanOrEqual(ROUNDS * 2)
  })

  it('refuses a second owner by name, and lets it in at once after kill -9 of the first', async () => {
    const started = startWriter(file, 9)
    writer = started.child
    await started.until(9) // The lock must outlive a garbage collection.
    await started.idle()
    const second = await opened(file)
    const refused = await second.join(OWNER)
    expect(refused).toMatchObject({
      problem: { code: 'STORE_LOCKED', message: expect.stringContaining(`process ${writer.pid} on writer`) },
    })
    await kill(writer)
    expect(await second.join(OWNER)).toEqual({ kind: 'ok', value: undefined })
    await second.close()
  })

  it('opens a log cut off anywhere with exactly the complete transactions', async () => {
    // Few enough that the log was never folded into the main file: each size tells what must be there.
    const commits = await writtenAndKilled(16)
    const size = readFileSync(`${file}-wal`).length
    for (let n = 0; n < CUTS; n += 1) {
      const cut = Math.floor(Math.random() * (size + 1))
      const copy = copyOf(`cut-${n}`)
      truncateSync(`${copy}-wal`, cut)
      const complete = commits.filter((commit) => commit.walBytes <= cut).at(-1)?.revision ?? 0
      const result = await createSqliteStore({ file: copy })
      if (result.kind === 'failed') {
        // Not even the tables are left of a file that was in use: only then may it be refused.
        expect({ cut, code: result.problem.code, complete }).toEqual({
          cut,
          code: 'STORE_CORRUPT',
          complete: 0,
        })
        continue
      }
      await result.value.close()
      expect({ cut, revision: await checkedRevision(copy) }).toEqual({ cut, revision: complete })
    }
  })

  it('never answers wrongly after a changed byte in the log: refused, or only the last transaction missing', async () => {
    const commits = await writtenAndKilled()
    const size = readFileSync(`${file}-wal`).length
    const allowed = commits.slice(-2).map(({ revision }) => revision)
    let refusals = 0
    for (let n = 0; n < FLIPS / 3; n += 1) {
      const copy = copyOf(`flip-${n}`)
      const at = flipByte(`${copy}-wal`, { from: 0, to: size })
      const result = await createSqliteStore({ file: copy })
      if (result.kind === 'failed') {
        expect({ at, code: result.problem.code }).toEqual({ at, code: 'STORE_CORRUPT' })
        refusals += 1
        continue
      }
      await result.value.close()
      expect(allowed, `byte ${at}`).toContain(await checkedRevision(copy))
    }
    expect(refusals).toBeGreaterThan(0)
  })

  it('never answers wrongly after a changed byte in the main file: all of it, or STORE_CORRUPT', async () => {
    await writtenAndKilled(100)
    await (await opened(file)).close() // Moves the log into the main file.
    expect(existsSync(`${file}-wal`)).toBe(false)
    const truth = await everything(copyOf('truth'))
    const size = readFileSync(file).length
    let refusals = 0
    for (let n = 0; n < FLIPS; n += 1) {
      const copy = copyOf(`flip-${n}`)
      // The first 100 bytes are the header of the file; each of them gets its turn.
      const at = flipByte(copy, n < 100 ? { from: n, to: n + 1 } : { from: 100, to: size })
      const result = await createSqliteStore({ file: copy })
      if (result.kind === 'failed') {
        expect({ at, code: result.problem.code }).toEqual({ at, code: 'STORE_CORRUPT' })
        refusals += 1
        continue
      }
      await result.value.close()
      expect(await everything(copy), `byte ${at}`).toEqual(truth)
    }
    expect(refusals).toBeGreaterThan(FLIPS / 4)
  })

  it('says STORE_FULL on a full disk, keeps what was acknowledged, and goes on when there is space again', async ({
    skip,
  }) => {
    const mounted = join(folder, 'small')
    mkdirSync(mounted)
    const mount = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'sluice-test', mounted])
    if (mount.status !== 0)
      skip(`a small tmpfs cannot be mounted: ${mount.error?.message ?? mount.stderr.toString().trim()}`)
    try {
      await fillUpAndGoOn(mounted)
    } finally {
      spawnSync('umount', [mounted])
    }
  })

  function copyOf(name: string): string {
    const copy = join(folder, name)
    cpSync(join(folder, 'state'), copy, {
      recursive: true,
      filter: (from) => !from.endsWith('-shm') && !from.endsWith('owner.lock'),
    })
    return join(copy, 'state.db')
  }

  async function writtenAndKilled(revision = 40) {
    const started = startWriter(file, revision)
    writer = started.child
    await started.until(revision)
    await kill(writer)
    return started.acknowledged()
  }
})

function startWriter(file: string, last = Number.MAX_SAFE_INTEGER) {
  const storeUrl = new URL('./store.ts', import.meta.url).href
  const args = ['--expose-gc', '--input-type=module', '-e', WRITER, storeUrl, file, `${last}`]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  let [text, errors] = ['', '']
  child.stdout.on('data', (chunk) => {
    text += chunk
  })
  child.stderr.on('data', (chunk) => {
    errors += chunk
  })
  const whole = () => text.split('\n').slice(0, -1)
  const acknowledged = () =>
    whole()
      .filter((line) => /^\d/.test(line))
      .map((line) => line.split(' ').map(Number))
      .map(([revision = 0, walBytes = 0]) => ({ revision, walBytes }))
  const until = async (done: () => boolean) => {
    const deadline = Date.now() + 60_000
    while (!done()) {
      if (Date.now() > deadline || child.exitCode !== null || child.signalCode !== null)
        throw new Error(`the writer got stuck: ${text.slice(-200)} ${errors}`)
      await delay(2)
    }
  }
  return {
    child,
    acknowledged,
    idle: () => until(() => whole().includes('idle')),
    lines: (count: number) => until(() => whole().length >= count),
    until: (revision: number) => until(() => (acknowledged().at(-1)?.revision ?? 0) >= revision),
  }
}

/** Opens the file, checks that all parts agree with each other, and answers with the revision. */
async function checkedRevision(file: string): Promise<number> {
  const store = await opened(file)
  const loaded = valueIn(await store.load('shop'))
  const events = valueIn(await store.events({ stream: 'shop', after: 0, limit: 1_000_000 }))
  const revision = loaded?.revision ?? 0
  expect(events.map(({ sequence }) => sequence)).toEqual(Array.from({ length: revision }, (_, n) => n + 1))
  const sum = events.reduce((total, { event }) => total + Added.parse(event).amount, 0)
  expect(State.parse(loaded?.state ?? { count: 0, sum: 0 })).toEqual({ count: revision, sum })
  const messages = valueIn(await store.listMessages(1_000_000)).map(({ key }) => key)
  const documents = valueIn(await store.listDocuments({ kind: 'step', limit: 1_000_000 })).map(({ id }) => id)
  expect(documents).toEqual(messages)
  if (revision > 0) expect(messages[0]).toBe(`${revision}`)
  await store.close()
  const db = new DatabaseSync(file)
  expect(db.prepare('PRAGMA integrity_check').all()).toMatchObject([{ integrity_check: 'ok' }])
  db.close()
  return revision
}

async function everything(file: string) {
  const store = await opened(file)
  const all = {
    streams: await store.streams(),
    leases: await store.leases(),
    state: await store.load('shop'),
    events: await store.events({ stream: 'shop', after: 0, limit: 1000 }),
    messages: await store.listMessages(1000),
    documents: await store.listDocuments({ kind: 'step', limit: 1000 }),
    ofStream: await store.listDocuments({ kind: 'step', stream: 'shop', limit: 1000 }),
    one: await store.getDocument('step', '1'),
    joined: await store.join(OWNER),
    claimed: await store.claim({ now: Number.MAX_SAFE_INTEGER, leaseMs: 1, limit: 1000 }),
    pending: await store.pendingMessages(Number.MAX_SAFE_INTEGER, 1000),
  }
  await store.close()
  return all
}

function flipByte(file: string, { from, to }: { from: number; to: number }): number {
  const bytes = readFileSync(file)
  const at = from + Math.floor(Math.random() * (to - from))
  bytes.writeUInt8(bytes.readUInt8(at) ^ (1 + Math.floor(Math.random() * 255)), at)
  writeFileSync(file, bytes)
  return at
}

async function fillUpAndGoOn(mounted: string): Promise<void> {
  const file = join(mounted, 'state.db')
  const ballast = join(mounted, 'ballast')
  writeFileSync(ballast, Buffer.alloc(700_000))
  const store = await opened(file)
  await store.join(OWNER)
  let revision = 0
  const append = () => {
    const rest = { epoch: null, at: 0, schemaVersion: 1, due: null, messages: [], documents: [] }
    const events = [{ kind: 'added', event: { pad: 'x'.repeat(20_000) } }]
    return store.append({
      stream: 'shop',
      expectedRevision: revision,
      events,
      state: { count: revision + 1 },
      ...rest,
    })
  }
  let result = await append()
  for (; result.kind === 'ok' && revision < 1000; result = await append()) revision = result.value.revision
  expect(result).toMatchObject({ problem: { code: 'STORE_FULL', retryable: true } })
  expect(await append()).toMatchObject({ problem: { code: 'STORE_FULL' } })
  expect(await store.load('shop')).toMatchObject({ value: { revision, state: { count: revision } } })
  rmSync(ballast)
  expect(await append()).toEqual({ kind: 'ok', value: { revision: revision + 1 } })
  await store.close()
  const again = await opened(file)
  expect(await again.load('shop')).toMatchObject({ value: { revision: revision + 1 } })
  await again.close()
}

async function opened(file: string): Promise<Store> {
  return valueIn(await createSqliteStore({ file }))
}

function valueIn<T>(result: { kind: 'ok'; value: T } | { kind: 'failed'; problem: { message: string } }): T {
  if (result.kind === 'ok') return result.value
  throw new Error(result.problem.message)
}
