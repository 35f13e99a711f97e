import { expect, it } from 'vitest'
import { append, type Context, claim, document, message, NOW, two, valueIn } from './kit.ts'

export function pruneCases(context: Context): void {
  const sequences = async (after = 0, limit = 100) => {
    const page = await context.store.events({ stream: 'shop', after, limit })
    return valueIn(page).map(({ sequence }) => sequence)
  }

  it('removes old events and goes on counting where it was', async () => {
    for (const revision of [0, 2, 4])
      await append(context.store, { expectedRevision: revision, events: two() })
    await append(context.store, { stream: 'api', events: two() })
    const nothing = { settledBefore: 0, documents: [] }
    const pruned = await context.store.prune({ events: [{ stream: 'shop', through: 4 }], ...nothing })
    expect(valueIn(pruned)).toEqual({ events: 4, messages: 0, documents: 0 })
    expect(await sequences()).toEqual([5, 6])
    expect(await sequences(0, 1)).toEqual([5])
    expect(await sequences(5)).toEqual([6])
    expect(valueIn(await context.store.load('shop'))?.revision).toBe(6)
    expect(valueIn(await append(context.store, { expectedRevision: 6 }))).toEqual({ revision: 7 })
    expect(await sequences()).toEqual([5, 6, 7])
    expect(valueIn(await context.store.events({ stream: 'api', after: 0, limit: 9 }))).toHaveLength(2)
  })

  it('may remove all events of a stream, twice, and of one it does not know', async () => {
    await append(context.store, { events: two(), state: { kept: true } })
    const all = { events: [{ stream: 'shop', through: 99 }], settledBefore: 0, documents: [] }
    expect(valueIn(await context.store.prune(all)).events).toBe(2)
    expect(valueIn(await context.store.prune(all)).events).toBe(0)
    const unknown = { ...all, events: [{ stream: 'nowhere', through: 5 }] }
    expect(valueIn(await context.store.prune(unknown)).events).toBe(0)
    expect(valueIn(await context.store.load('shop'))).toMatchObject({ revision: 2, state: { kept: true } })
    expect(valueIn(await append(context.store, { expectedRevision: 2 }))).toEqual({ revision: 3 })
    expect(await sequences()).toEqual([3])
  })

  it('never removes an event that the stored state lacks', async () => {
    await append(context.store, { events: two() })
    for (const expectedRevision of [2, 3])
      valueIn(await append(context.store, { expectedRevision, snapshot: false }))
    const all = { events: [{ stream: 'shop', through: 99 }], settledBefore: 0, documents: [] }
    expect(valueIn(await context.store.prune(all)).events).toBe(2)
    expect(await sequences()).toEqual([3, 4])
    await context.store.close()
    context.store = await context.harness.open()
    expect(valueIn(await context.store.load('shop'))).toMatchObject({ revision: 4, stateRevision: 2 })
  })

  it('removes messages that were settled long ago and none that waits', async () => {
    const keys = ['a', 'b', 'c', 'd']
    await append(context.store, { messages: keys.map(message), at: NOW })
    const delivered = (key: string, at: number) =>
      context.store.settleMessage({ channel: 'hook', key, kind: 'delivered', at })
    valueIn(await delivered('a', NOW + 10))
    valueIn(await delivered('b', NOW + 20))
    valueIn(await context.store.settleMessage({ channel: 'hook', key: 'c', kind: 'dead', error: 'gone' }))
    const old = { events: [], settledBefore: NOW + 20, documents: [] }
    expect(valueIn(await context.store.prune(old)).messages).toBe(2)
    const left = valueIn(await context.store.listMessages(10)).map(({ key }) => key)
    expect(left).toEqual(['d', 'b'])
  })

  it('removes the named documents, and keeps leases', async () => {
    await append(context.store, { due: NOW, documents: [document('r1'), document('r2')] })
    await claim(context.store)
    const documents = ['r1', 'r9'].map((id) => ({ kind: 'release', id }))
    const pruned = await context.store.prune({ events: [], settledBefore: 0, documents })
    expect(valueIn(pruned)).toEqual({ events: 0, messages: 0, documents: 1 })
    const left = valueIn(await context.store.listDocuments({ kind: 'release', limit: 9 }))
    expect(left.map(({ id }) => id)).toEqual(['r2'])
    expect(valueIn(await append(context.store, { epoch: 1, expectedRevision: 1 }))).toEqual({ revision: 2 })
  })

  it('still works on what was pruned after it was opened again', async () => {
    await append(context.store, { events: two() })
    const request = { events: [{ stream: 'shop', through: 1 }], settledBefore: 0, documents: [] }
    valueIn(await context.store.prune(request))
    await context.store.close()
    context.store = await context.harness.open()
    expect(await sequences()).toEqual([2])
  })
}
