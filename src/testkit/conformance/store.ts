import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Result } from '../../core/shared/result.ts'
import type { NotificationMessage } from '../../ports/notifier.ts'
import type { AppendRequest, Store } from '../../ports/store.ts'

/** `open` gives another handle on the same memory each time; `dispose` removes all of it. */
export type StoreHarness = { open(): Promise<Store>; dispose(): Promise<void> }

const OWNER = { pid: 4711, host: 'alpha', startedAt: Date.UTC(2026, 0, 2) }
const OTHER = { pid: 4712, host: 'beta', startedAt: Date.UTC(2026, 0, 3) }
const NOW = 1_000_000

/** What every `Store` must do. Run it on the real store and on its fake. */
export function storeConformance(name: string, make: () => Promise<StoreHarness>): void {
  describe(`store conformance: ${name}`, () => {
    const context: Context = { store: unset, harness: unset, epoch: 0 }
    beforeEach(async () => {
      context.harness = await make()
      context.store = await context.harness.open()
      context.epoch = valueIn(await context.store.acquire(OWNER)).epoch
    })
    afterEach(async () => {
      await context.store.close()
      await context.harness.dispose()
    })
    streamCases(context)
    ownershipCases(context)
    documentCases(context)
    outboxCases(context)
  })
}

type Context = { store: Store; harness: StoreHarness; epoch: number }
// Replaced before each test; a use before that fails at once.
const unset = new Proxy(
  {},
  {
    get: () => {
      throw new Error('the store is not open yet')
    },
  },
) as never

function streamCases(context: Context): void {
  it('answers null for a stream that was never written', async () => {
    expect(valueIn(await context.store.load('shop'))).toBe(null)
    expect(valueIn(await context.store.events({ stream: 'shop', after: 0, limit: 10 }))).toEqual([])
  })

  it('gives back state, revision, schema version, due time and events exactly as written', async () => {
    const state = { phase: 'stepping', list: [1, null, 'ü — 漢 — 😀', { deep: true }], nothing: null }
    const events = [
      { kind: 'began', event: { weight: 0.1 + 0.2 } },
      { kind: 'ended', event: ['x'] },
    ]
    expect(valueIn(await append(context, { state, events, due: 5 }))).toEqual({ revision: 2 })
    expect(valueIn(await context.store.load('shop'))).toEqual({
      stream: 'shop',
      revision: 2,
      schemaVersion: 1,
      state,
      due: 5,
    })
    expect(valueIn(await context.store.events({ stream: 'shop', after: 0, limit: 10 }))).toEqual([
      { stream: 'shop', sequence: 1, at: NOW, kind: 'began', event: { weight: 0.1 + 0.2 } },
      { stream: 'shop', sequence: 2, at: NOW, kind: 'ended', event: ['x'] },
    ])
  })

  it('numbers events without gaps over many appends, each stream by itself', async () => {
    for (let revision = 0; revision < 6; revision += 2)
      await append(context, { expectedRevision: revision, events: two() })
    await append(context, { stream: 'api', events: two() })
    const page = valueIn(await context.store.events({ stream: 'shop', after: 2, limit: 3 }))
    expect(page.map((event) => event.sequence)).toEqual([3, 4, 5])
    expect(valueIn(await context.store.streams())).toEqual(['api', 'shop'])
  })

  it('refuses a decision based on an old revision and changes nothing (S113)', async () => {
    await append(context, { state: { mine: 1 } })
    const problem = problemIn(
      await append(context, { state: { theirs: 1 }, messages: [message('a')], due: 1 }),
    )
    expect(problem).toMatchObject({ code: 'STORE_CONFLICT', retryable: true })
    expect(problem.message).toContain('revision 1')
    expect(valueIn(await context.store.load('shop'))).toMatchObject({
      revision: 1,
      state: { mine: 1 },
      due: null,
    })
    expect(valueIn(await context.store.listMessages(10))).toEqual([])
  })

  it('lets exactly one of several simultaneous appends win', async () => {
    const results = await Promise.all(Array.from({ length: 5 }, () => append(context, {})))
    expect(results.filter((result) => result.kind === 'ok')).toHaveLength(1)
  })

  it('can change the due time without an event', async () => {
    await append(context, { due: 10 })
    expect(valueIn(await append(context, { expectedRevision: 1, events: [], due: 20 }))).toEqual({
      revision: 1,
    })
    expect(valueIn(await context.store.load('shop'))?.due).toBe(20)
  })

  it('lists due streams oldest first, up to the limit, and not those without a due time', async () => {
    for (const [stream, due] of [
      ['a', 30],
      ['b', 10],
      ['c', null],
      ['d', 20],
      ['e', 99],
    ] as const)
      await append(context, { stream, due })
    expect(valueIn(await context.store.due(30, 10))).toEqual(['b', 'd', 'a'])
    expect(valueIn(await context.store.due(30, 2))).toEqual(['b', 'd'])
  })

  it('shares no object with its callers', async () => {
    const state = { weight: 1 }
    await append(context, { state })
    state.weight = 2
    const loaded = valueIn(await context.store.load('shop'))
    expect(loaded?.state).toEqual({ weight: 1 })
  })

  it('remembers everything after it was closed and opened again', async () => {
    await append(context, { state: { kept: true }, messages: [message('a')], documents: [document('r1')] })
    await context.store.close()
    context.store = await context.harness.open()
    expect(valueIn(await context.store.load('shop'))).toMatchObject({ revision: 1, state: { kept: true } })
    expect(valueIn(await context.store.pendingMessages(NOW, 10))).toHaveLength(1)
    expect(valueIn(await context.store.getDocument('release', 'r1'))).toEqual(document('r1'))
  })
}

function ownershipCases(context: Context): void {
  it('counts the epoch up by one with each taking of ownership', async () => {
    expect(context.epoch).toBe(1)
    await context.store.close()
    context.store = await context.harness.open()
    expect(valueIn(await context.store.acquire(OTHER))).toEqual({ epoch: 2 })
  })

  it('refuses a second owner and names the first', async () => {
    const second = await context.harness.open()
    const problem = problemIn(await second.acquire(OTHER))
    expect(problem.code).toBe('STORE_LOCKED')
    expect(problem.message).toContain('4711')
    expect(problem.message).toContain('alpha')
    expect(problem.message).toContain('2026-01-02T00:00:00.000Z')
    await second.close()
    expect(valueIn(await append(context, {}))).toEqual({ revision: 1 })
  })

  it('lets everybody read and only the owner write', async () => {
    await append(context, {})
    const reader = await context.harness.open()
    expect(valueIn(await reader.load('shop'))?.revision).toBe(1)
    expect(problemIn(await reader.append(request({ expectedRevision: 1, epoch: context.epoch }))).code).toBe(
      'STORE_FENCED',
    )
    expect(problemIn(await reader.putDocument(document('x'))).code).toBe('STORE_FENCED')
    await reader.close()
  })

  it('refuses a write with an epoch that is no longer the newest (S116)', async () => {
    valueIn(await context.store.acquire(OWNER))
    const problem = problemIn(await append(context, {}))
    expect(problem).toMatchObject({ code: 'STORE_FENCED', retryable: false })
    expect(valueIn(await context.store.load('shop'))).toBe(null)
  })
}

function documentCases(context: Context): void {
  it('answers null for an unknown document', async () => {
    expect(valueIn(await context.store.getDocument('release', 'r1'))).toBe(null)
  })

  it('replaces a document as a whole', async () => {
    valueIn(await context.store.putDocument(document('r1')))
    const changed = { ...document('r1'), at: 9, body: { only: 'this' } }
    valueIn(await context.store.putDocument(changed))
    expect(valueIn(await context.store.getDocument('release', 'r1'))).toEqual(changed)
  })

  it('lists documents newest first, by kind and stream, up to the limit', async () => {
    for (const [id, at, stream] of [
      ['a', 1, 'shop'],
      ['b', 3, 'api'],
      ['c', 2, 'shop'],
      ['d', 3, 'shop'],
    ] as const) {
      valueIn(await context.store.putDocument({ ...document(id), at, stream }))
    }
    valueIn(await context.store.putDocument({ ...document('p'), kind: 'plan', at: 9 }))
    const ids = async (limit: number, stream?: string) => {
      const of = stream === undefined ? {} : { stream }
      return valueIn(await context.store.listDocuments({ kind: 'release', limit, ...of })).map(({ id }) => id)
    }
    expect(await ids(10)).toEqual(['d', 'b', 'c', 'a'])
    expect(await ids(2)).toEqual(['d', 'b'])
    expect(await ids(10, 'shop')).toEqual(['d', 'c', 'a'])
  })
}

function outboxCases(context: Context): void {
  it('keeps messages with the events and ignores a repeated key of the same channel', async () => {
    await append(context, { messages: [message('a'), message('a'), { ...message('a'), channel: 'mail' }] })
    await append(context, { expectedRevision: 1, messages: [message('a')] })
    const pending = valueIn(await context.store.pendingMessages(NOW, 10))
    expect(pending.map(({ channel, key }) => `${channel}/${key}`).sort()).toEqual(['hook/a', 'mail/a'])
    const hook = pending.find(({ channel }) => channel === 'hook')
    expect(hook).toEqual({
      ...message('a'),
      stream: 'shop',
      state: 'pending',
      attempts: 0,
      notBefore: NOW,
      lastError: null,
    })
  })

  it('holds back what is waiting, and what comes after it in the same stream and channel', async () => {
    await append(context, { messages: [message('a'), message('b'), { ...message('m'), channel: 'mail' }] })
    await append(context, { stream: 'api', messages: [message('c')] })
    valueIn(
      await context.store.settleMessage({
        channel: 'hook',
        key: 'a',
        kind: 'retry',
        notBefore: NOW + 50,
        error: 'X: no',
      }),
    )
    const ready = async (now: number) =>
      valueIn(await context.store.pendingMessages(now, 10)).map(({ key }) => key)
    expect((await ready(NOW)).sort()).toEqual(['c', 'm'])
    const later = await ready(NOW + 50)
    expect(later.filter((key) => key === 'a' || key === 'b')).toEqual(['a', 'b'])
    expect(valueIn(await context.store.listMessages(10)).find(({ key }) => key === 'a')).toMatchObject({
      attempts: 1,
      lastError: 'X: no',
      state: 'pending',
    })
  })

  it('shows messages of every channel even when one channel has a long queue', async () => {
    const queue = Array.from({ length: 20 }, (_, index) => message(`q${index}`))
    await append(context, { messages: [...queue, { ...message('m'), channel: 'mail' }] })
    const first = valueIn(await context.store.pendingMessages(NOW, 4))
    expect(first.map(({ channel }) => channel)).toContain('mail')
    expect(first.filter(({ channel }) => channel === 'hook').map(({ key }) => key)).toEqual([
      'q0',
      'q1',
      'q2',
    ])
  })

  it('shows delivered and dead messages newest first and never as pending', async () => {
    await append(context, { messages: [message('a'), message('b'), message('c')] })
    valueIn(await context.store.settleMessage({ channel: 'hook', key: 'a', kind: 'delivered', at: NOW }))
    valueIn(await context.store.settleMessage({ channel: 'hook', key: 'b', kind: 'dead', error: 'gone' }))
    expect(valueIn(await context.store.pendingMessages(NOW, 10)).map(({ key }) => key)).toEqual(['c'])
    const all = valueIn(await context.store.listMessages(10))
    expect(all.map(({ key, state }) => [key, state])).toEqual([
      ['c', 'pending'],
      ['b', 'dead'],
      ['a', 'delivered'],
    ])
  })

  it('lets a settled message stay as it is when it is settled again', async () => {
    await append(context, { messages: [message('a')] })
    valueIn(await context.store.settleMessage({ channel: 'hook', key: 'a', kind: 'delivered', at: NOW }))
    valueIn(
      await context.store.settleMessage({
        channel: 'hook',
        key: 'a',
        kind: 'retry',
        notBefore: 0,
        error: 'late',
      }),
    )
    expect(valueIn(await context.store.listMessages(1))).toMatchObject([
      { state: 'delivered', attempts: 1, lastError: null },
    ])
  })

  it('refuses to settle a message it never had', async () => {
    const problem = problemIn(
      await context.store.settleMessage({ channel: 'hook', key: 'zz', kind: 'delivered', at: NOW }),
    )
    expect(problem.code).toBe('STORE_UNKNOWN_MESSAGE')
  })
}

const append = ({ store, epoch }: Context, changes: Partial<AppendRequest>) =>
  store.append(request({ epoch, ...changes }))

function request(changes: Partial<AppendRequest>): AppendRequest {
  const events = [{ kind: 'noted', event: {} }]
  const base = {
    stream: 'shop',
    expectedRevision: 0,
    epoch: 1,
    at: NOW,
    schemaVersion: 1,
    state: {},
    due: null,
  }
  return { ...base, events, messages: [], documents: [], ...changes }
}

const two = () => [
  { kind: 'one', event: 1 },
  { kind: 'two', event: 2 },
]

const document = (id: string) => ({ kind: 'release', id, stream: 'shop', at: 5, body: { version: id } })

function message(key: string): { channel: string; key: string; message: NotificationMessage } {
  const timestamp = '2026-01-02T03:04:05.000Z'
  return {
    channel: 'hook',
    key,
    message: { type: 'rollout.promoted', timestamp, severity: 'info', summary: 'Done.', data: { n: 1 } },
  }
}

function valueIn<T>(result: Result<T>): T {
  if (result.kind === 'ok') return result.value
  throw new Error(`${result.problem.code}: ${result.problem.message}`)
}

function problemIn(result: Result<unknown>) {
  if (result.kind === 'failed') return result.problem
  throw new Error('expected a failure')
}
