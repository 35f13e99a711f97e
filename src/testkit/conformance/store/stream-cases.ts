import { expect, it } from 'vitest'
import {
  ADA,
  append,
  type Context,
  claim,
  document,
  message,
  NOW,
  problemIn,
  rowsOf,
  two,
  valueIn,
} from './kit.ts'

/** Texts that some database or driver is known to change, refuse or reorder. */
const AWKWARD = {
  b: 1,
  a: { z: [], y: {} },
  10: 'number-like keys are moved by JavaScript itself',
  '2': null,
  nul: 'before\u0000after',
  lone: '\ud83d',
  text: 'ü — 漢 — 😀 \\ " \u2028 \n',
  deep: [[[[{ x: [1.5e-300, -0, 1e21, 123456789012345680000] }]]]],
  empty: '',
}

export function streamCases(context: Context): void {
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
    expect(valueIn(await append(context.store, { state, events, due: 5 }))).toEqual({ revision: 2 })
    const kept = { stream: 'shop', revision: 2, schemaVersion: 1, state, due: 5 }
    expect(valueIn(await context.store.load('shop'))).toEqual(kept)
    expect(valueIn(await context.store.events({ stream: 'shop', after: 0, limit: 10 }))).toEqual([
      { stream: 'shop', sequence: 1, at: NOW, kind: 'began', event: { weight: 0.1 + 0.2 } },
      { stream: 'shop', sequence: 2, at: NOW, kind: 'ended', event: ['x'] },
    ])
  })

  it('may leave out the state of a stream that is still at the known revision, and never another one', async () => {
    await append(context.store, { state: { weight: 1 } })
    const same = valueIn(await context.store.load('shop', 1))
    expect(same).toMatchObject({ stream: 'shop', revision: 1, schemaVersion: 1, due: null })
    expect([undefined, { weight: 1 }]).toContainEqual(same?.state)
    for (const known of [0, 2, 7])
      expect(valueIn(await context.store.load('shop', known))?.state).toEqual({ weight: 1 })
    await append(context.store, { expectedRevision: 1, state: { weight: 2 } })
    expect(valueIn(await context.store.load('shop', 1))).toMatchObject({ revision: 2, state: { weight: 2 } })
    expect(valueIn(await context.store.load('nobody', 1))).toBe(null)
  })

  it('commits decisions about many streams at once, and refuses only the one that is late', async () => {
    const names = Array.from({ length: 150 }, (_, index) => `shop-${index}`)
    for (const stream of names.slice(0, 10)) valueIn(await append(context.store, { stream }))
    const results = await Promise.all(names.map((stream) => append(context.store, { stream })))
    expect(results.slice(0, 10).map((result) => problemIn(result).code)).toEqual(
      Array.from({ length: 10 }, () => 'STORE_CONFLICT'),
    )
    for (const result of results.slice(10)) expect(valueIn(result)).toEqual({ revision: 1 })
    expect(valueIn(await context.store.streams())).toHaveLength(150)
  })

  it('changes no value: order of keys, control characters, halves of pairs and odd numbers', async () => {
    const events = [{ kind: 'noted', event: AWKWARD }]
    const documents = [{ ...document('r1'), body: AWKWARD }]
    valueIn(await append(context.store, { state: AWKWARD, events, documents }))
    const written = JSON.stringify(AWKWARD)
    const [event] = valueIn(await context.store.events({ stream: 'shop', after: 0, limit: 1 }))
    expect(JSON.stringify(valueIn(await context.store.load('shop'))?.state)).toBe(written)
    expect(JSON.stringify(event?.event)).toBe(written)
    expect(JSON.stringify(valueIn(await context.store.getDocument('release', 'r1'))?.body)).toBe(written)
  })

  it('numbers events without gaps over many appends, each stream by itself', async () => {
    for (let revision = 0; revision < 6; revision += 2)
      await append(context.store, { expectedRevision: revision, events: two() })
    await append(context.store, { stream: 'api', events: two() })
    const page = valueIn(await context.store.events({ stream: 'shop', after: 2, limit: 3 }))
    expect(page.map((event) => event.sequence)).toEqual([3, 4, 5])
    expect(valueIn(await context.store.streams())).toEqual(['api', 'shop'])
  })

  it('keeps the state as it was while only events are written, and says which revision it is of', async () => {
    const state = { weight: 1 }
    valueIn(await append(context.store, { state, events: two(), due: 5, snapshot: false }))
    expect(valueIn(await context.store.load('shop'))).toMatchObject({ revision: 2, state, due: 5 })
    const only = { snapshot: false, state: { weight: 'not written' }, schemaVersion: 9, due: 9 }
    valueIn(await append(context.store, { expectedRevision: 2, ...only }))
    expect(valueIn(await append(context.store, { expectedRevision: 3, ...only }))).toEqual({ revision: 4 })
    const behind = { revision: 4, stateRevision: 2, schemaVersion: 1, state, due: 5 }
    for (const known of [undefined, 2])
      expect(valueIn(await context.store.load('shop', known))).toMatchObject(behind)
    const late = await append(context.store, { expectedRevision: 2, ...only })
    expect(problemIn(late).code).toBe('STORE_CONFLICT')
    const rows = await rowsOf(context.store)
    expect(rows[0]).toMatchObject({ row: 'stream', ...behind })
    expect(rows.filter(({ row }) => row === 'event')).toHaveLength(4)
    valueIn(await append(context.store, { expectedRevision: 4, state: { weight: 2 }, due: null }))
    const whole = valueIn(await context.store.load('shop'))
    expect(whole).toMatchObject({ revision: 5, state: { weight: 2 }, due: null })
    expect(whole?.stateRevision ?? 5).toBe(5)
  })

  it('commits many decisions of both kinds at once, each to its own stream', async () => {
    const names = Array.from({ length: 40 }, (_, index) => `shop-${index}`)
    for (const stream of names) valueIn(await append(context.store, { stream, state: { n: 1 }, due: 1 }))
    const more = { expectedRevision: 1, state: { n: 2 }, due: 2 }
    const results = await Promise.all(
      names.map((stream, index) => append(context.store, { stream, ...more, snapshot: index % 2 === 0 })),
    )
    for (const result of results) expect(valueIn(result)).toEqual({ revision: 2 })
    for (const [index, stream] of names.entries())
      expect(valueIn(await context.store.load(stream))).toMatchObject(
        index % 2 === 0
          ? { revision: 2, state: { n: 2 }, due: 2 }
          : { revision: 2, stateRevision: 1, state: { n: 1 }, due: 1 },
      )
  })

  it('leaves out events of kinds that nobody asked for, and counts only the others', async () => {
    const events = ['seen', 'noted', 'seen', 'counted', 'noted', 'noted'].map((kind) => ({
      kind,
      event: kind,
    }))
    valueIn(await append(context.store, { events }))
    const page = await context.store.events({
      stream: 'shop',
      after: 1,
      limit: 2,
      without: ['seen', 'counted', 'neither'],
    })
    expect(valueIn(page).map(({ sequence, kind }) => [sequence, kind])).toEqual([
      [2, 'noted'],
      [5, 'noted'],
    ])
  })

  it('lists streams by the bytes of their names, whatever language the system speaks', async () => {
    for (const stream of ['b', 'B', 'a.x', 'a-x', 'ä']) valueIn(await append(context.store, { stream }))
    expect(valueIn(await context.store.streams())).toEqual(['B', 'a-x', 'a.x', 'b', 'ä'])
  })

  it('refuses a decision based on an old revision and changes nothing (S113)', async () => {
    await append(context.store, { state: { mine: 1 } })
    const problem = problemIn(
      await append(context.store, { state: { theirs: 1 }, messages: [message('a')], due: 1 }),
    )
    expect(problem).toMatchObject({ code: 'STORE_CONFLICT', retryable: true })
    expect(problem.message).toContain('revision 1')
    const kept = { revision: 1, state: { mine: 1 }, due: null }
    expect(valueIn(await context.store.load('shop'))).toMatchObject(kept)
    expect(valueIn(await context.store.listMessages(10))).toEqual([])
  })

  it('lets exactly one of several simultaneous appends win', async () => {
    const results = await Promise.all(Array.from({ length: 5 }, () => append(context.store)))
    expect(results.filter((result) => result.kind === 'ok')).toHaveLength(1)
    const lost = results.filter((result) => result.kind === 'failed').map(problemIn)
    expect(lost.map(({ code }) => code)).toEqual(Array.from({ length: 4 }, () => 'STORE_CONFLICT'))
  })

  it('can change the due time without an event', async () => {
    await append(context.store, { due: 10 })
    const later = await append(context.store, { expectedRevision: 1, events: [], due: 20 })
    expect(valueIn(later)).toEqual({ revision: 1 })
    expect(valueIn(await context.store.load('shop'))?.due).toBe(20)
  })

  it('shares no object with its callers', async () => {
    const state = { weight: 1 }
    await append(context.store, { state })
    state.weight = 2
    const loaded = valueIn(await context.store.load('shop'))
    expect(loaded?.state).toEqual({ weight: 1 })
  })

  it('remembers everything after it was closed and opened again', async () => {
    const parts = { messages: [message('a')], documents: [document('r1')] }
    await append(context.store, { state: { kept: true }, ...parts })
    await context.store.close()
    context.store = await context.harness.open()
    expect(valueIn(await context.store.load('shop'))).toMatchObject({ revision: 1, state: { kept: true } })
    expect(valueIn(await context.store.getDocument('release', 'r1'))).toEqual(document('r1'))
    valueIn(await context.store.join(ADA))
    await claim(context.store)
    expect(valueIn(await context.store.pendingMessages(NOW, 10))).toHaveLength(1)
  })

  it('lets everybody read and only those who joined write', async () => {
    await append(context.store)
    const reader = await context.harness.open()
    expect(valueIn(await reader.load('shop'))?.revision).toBe(1)
    expect(valueIn(await reader.leases())).toMatchObject([{ stream: 'shop' }])
    const refused = [
      await append(reader, { expectedRevision: 1 }),
      await reader.putDocument(document('x')),
      await reader.claim({ now: NOW, leaseMs: 1, limit: 1 }),
      await reader.settleMessage({ channel: 'hook', key: 'a', kind: 'delivered', at: NOW }),
      await reader.prune({ events: [], settledBefore: 0, documents: [] }),
      await reader.fill([]),
    ]
    expect(refused.map((result) => problemIn(result).code)).toEqual(refused.map(() => 'STORE_FENCED'))
    await reader.close()
  })
}
