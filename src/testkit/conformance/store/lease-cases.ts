import { expect, it } from 'vitest'
import { ADA, append, type Context, claim, LEASE_MS, message, NOW, problemIn, valueIn } from './kit.ts'

/** Leases as one controller sees them, in every kind of store. */
export function leaseCases(context: Context): void {
  it('claims what is due, longest first, up to the limit, and nothing that needs nobody', async () => {
    for (const [stream, due] of [
      ['a', NOW - 10],
      ['b', NOW - 30],
      ['c', null],
      ['d', NOW - 20],
      ['e', NOW + 1],
    ] as const)
      await append(context.store, { stream, due })
    expect(await claim(context.store, 2)).toEqual([
      { stream: 'b', epoch: 1 },
      { stream: 'd', epoch: 1 },
    ])
    expect(await claim(context.store, 0)).toEqual([])
    expect(await claim(context.store)).toEqual([{ stream: 'a', epoch: 1 }])
    expect(await claim(context.store)).toEqual([])
    expect(await claim(context.store, 10, NOW + 1)).toEqual([{ stream: 'e', epoch: 1 }])
  })

  it('claims a stream without a due time when a message waits that may go', async () => {
    await append(context.store, { messages: [message('a'), message('b')], at: NOW - 5 })
    await append(context.store, { stream: 'api', due: NOW - 1 })
    await append(context.store, { stream: 'later', messages: [{ ...message('c') }], at: NOW + 1 })
    expect((await claim(context.store)).map(({ stream }) => stream)).toEqual(['shop', 'api'])
    const wait = { kind: 'retry', notBefore: NOW + 50, error: 'no' } as const
    valueIn(await context.store.settleMessage({ channel: 'hook', key: 'a', ...wait }))
    valueIn(await context.store.release(['shop']))
    expect(await claim(context.store)).toEqual([])
    expect(await claim(context.store, 10, NOW + 50)).toContainEqual({ stream: 'shop', epoch: 2 })
  })

  it('raises the epoch by one with each taking and never with a renewal', async () => {
    await append(context.store, { due: NOW })
    for (const epoch of [1, 2, 3]) {
      expect(await claim(context.store)).toEqual([{ stream: 'shop', epoch }])
      expect(valueIn(await context.store.renew({ leaseMs: LEASE_MS }))).toEqual([{ stream: 'shop', epoch }])
      valueIn(await context.store.release(['shop', 'unknown']))
      expect(valueIn(await context.store.renew({ leaseMs: LEASE_MS }))).toEqual([])
    }
  })

  it('writes under the epoch of its lease, and is refused under any other or with none', async () => {
    await append(context.store, { due: NOW })
    const under = (epoch: number) => append(context.store, { epoch, expectedRevision: 1, due: NOW })
    expect(problemIn(await under(0))).toMatchObject({ code: 'STORE_FENCED', retryable: false })
    await claim(context.store)
    expect(problemIn(await under(2)).code).toBe('STORE_FENCED')
    expect(problemIn(await under(0)).code).toBe('STORE_FENCED')
    expect(valueIn(await under(1))).toEqual({ revision: 2 })
    valueIn(await context.store.release(['shop']))
    const late = problemIn(await append(context.store, { epoch: 1, expectedRevision: 2 }))
    expect(late.code).toBe('STORE_FENCED')
    expect(late.message).toContain('shop')
  })

  it('begins a new stream without a lease only, and then gives it away', async () => {
    expect(problemIn(await append(context.store, { epoch: 1, due: NOW })).code).toBe('STORE_FENCED')
    expect(valueIn(await append(context.store, { due: NOW }))).toEqual({ revision: 1 })
    expect(await claim(context.store)).toEqual([{ stream: 'shop', epoch: 1 }])
  })

  it('lets a command of a person in at any time, guarded by the revision alone', async () => {
    await append(context.store, { due: NOW })
    await claim(context.store)
    expect(valueIn(await append(context.store, { expectedRevision: 1 }))).toEqual({ revision: 2 })
    expect(problemIn(await append(context.store, { expectedRevision: 1 })).code).toBe('STORE_CONFLICT')
    const based = { epoch: 1, expectedRevision: 1 }
    expect(problemIn(await append(context.store, based)).code).toBe('STORE_CONFLICT')
  })

  it('raises the epoch of a held lease on demand, never lowers it, and not that of others', async () => {
    await append(context.store, { due: NOW })
    expect(problemIn(await context.store.raiseEpoch({ stream: 'shop', atLeast: 9 })).code).toBe(
      'STORE_FENCED',
    )
    await claim(context.store)
    const raised = await context.store.raiseEpoch({ stream: 'shop', atLeast: 9 })
    expect(valueIn(raised)).toEqual({ stream: 'shop', epoch: 9 })
    const lower = await context.store.raiseEpoch({ stream: 'shop', atLeast: 3 })
    expect(valueIn(lower)).toEqual({ stream: 'shop', epoch: 9 })
    expect(problemIn(await append(context.store, { epoch: 1, expectedRevision: 1 })).code).toBe(
      'STORE_FENCED',
    )
    expect(valueIn(await append(context.store, { epoch: 9, expectedRevision: 1, due: NOW }))).toEqual({
      revision: 2,
    })
    valueIn(await context.store.release(['shop']))
    expect(await claim(context.store)).toEqual([{ stream: 'shop', epoch: 10 }])
  })

  it('frees its own leases when it joins again', async () => {
    await append(context.store, { due: NOW })
    await claim(context.store)
    valueIn(await context.store.join(ADA))
    expect(problemIn(await append(context.store, { epoch: 1, expectedRevision: 1 })).code).toBe(
      'STORE_FENCED',
    )
    expect(await claim(context.store)).toEqual([{ stream: 'shop', epoch: 2 }])
  })

  it('frees its leases when it is closed', async () => {
    await append(context.store, { due: NOW })
    await claim(context.store)
    await context.store.close()
    context.store = await context.harness.open()
    valueIn(await context.store.join(ADA))
    expect(await claim(context.store)).toEqual([{ stream: 'shop', epoch: 2 }])
  })

  it('tells who holds what', async () => {
    await append(context.store, { due: NOW })
    await append(context.store, { stream: 'api' })
    const free = { controller: null, until: null, epoch: 0 }
    expect(valueIn(await context.store.leases())).toEqual([
      { stream: 'api', ...free },
      { stream: 'shop', ...free },
    ])
    await claim(context.store)
    const [, held] = valueIn(await context.store.leases())
    expect(held).toMatchObject({ stream: 'shop', epoch: 1, controller: ADA })
    expect(typeof held?.until).toBe(context.store.shared ? 'number' : 'object')
  })

  it('gives messages of held streams only', async () => {
    await append(context.store, { messages: [message('a')] })
    await append(context.store, { stream: 'api', messages: [message('b')], at: NOW - 1 })
    const keys = async () => valueIn(await context.store.pendingMessages(NOW, 10)).map(({ key }) => key)
    expect(await keys()).toEqual([])
    await claim(context.store, 1)
    expect(await keys()).toEqual(['b'])
    await claim(context.store, 1)
    expect((await keys()).sort()).toEqual(['a', 'b'])
    valueIn(await context.store.release(['api']))
    expect(await keys()).toEqual(['a'])
  })
}
