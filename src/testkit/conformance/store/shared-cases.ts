import { afterEach, beforeEach, expect, it } from 'vitest'
import type { Store } from '../../../ports/store.ts'
import {
  ADA,
  append,
  BOB,
  type Context,
  claim,
  joined,
  LEASE_MS,
  message,
  NOW,
  problemIn,
  unset,
  until,
  valueIn,
} from './kit.ts'

export function sharedCases(context: Context): void {
  const others: { bob: Store } = { bob: unset }
  beforeEach(async () => {
    others.bob = await joined(context, BOB)
  })
  afterEach(() => others.bob.close())
  const expire = async () => {
    if (context.harness.expireLeases === undefined) throw new Error('a shared store needs expireLeases')
    await context.harness.expireLeases()
  }

  it('gives each stream to exactly one of several that claim at once', async () => {
    const names = Array.from({ length: 30 }, (_, index) => `s${index}`)
    for (const stream of names) await append(context.store, { stream, due: NOW })
    const { bob } = others
    const cyd = await joined(context, { ...ADA, name: 'cyd' })
    const stores = [context.store, bob, cyd, context.store, bob, cyd]
    const taken = (await Promise.all(stores.map((store) => claim(store, 4)))).flat()
    expect(new Set(taken.map(({ stream }) => stream)).size).toBe(taken.length)
    let [found, more] = [taken, taken]
    for (let turn = 0; turn < 20 && more.length > 0; turn += 1) {
      more = (await Promise.all([context.store, bob, cyd].map((store) => claim(store, 10)))).flat()
      found = [...found, ...more]
    }
    expect(found.map(({ stream }) => stream).sort()).toEqual(names.sort())
    expect(new Set(found.map(({ epoch }) => epoch))).toEqual(new Set([1]))
    await cyd.close()
  })

  it('gives a lease that ran out to another, and refuses the late holder by the epoch alone (S116)', async () => {
    await append(context.store, { due: NOW })
    await claim(context.store)
    expect(await claim(others.bob)).toEqual([])
    await expire()
    expect(await claim(others.bob)).toEqual([{ stream: 'shop', epoch: 2 }])
    const late = { expectedRevision: 1, due: NOW }
    for (const epoch of [1, 2])
      expect(problemIn(await append(context.store, { ...late, epoch }))).toMatchObject({
        code: 'STORE_FENCED',
        retryable: false,
      })
    expect(valueIn(await context.store.load('shop'))?.revision).toBe(1)
    expect(valueIn(await context.store.renew({ leaseMs: LEASE_MS }))).toEqual([])
    // The revision was right all the time: without an epoch the same write is taken.
    expect(valueIn(await append(context.store, { ...late, epoch: null }))).toEqual({ revision: 2 })
    expect(problemIn(await append(others.bob, { ...late, epoch: 2 })).code).toBe('STORE_CONFLICT')
    expect(valueIn(await append(others.bob, { epoch: 2, expectedRevision: 2 }))).toEqual({ revision: 3 })
  })

  it('lets a holder go on whose lease ran out and was not taken, and renews it', async () => {
    await append(context.store, { due: NOW, messages: [message('a')] })
    await claim(context.store)
    await expire()
    expect(valueIn(await append(context.store, { epoch: 1, expectedRevision: 1, due: NOW }))).toEqual({
      revision: 2,
    })
    expect(valueIn(await context.store.pendingMessages(NOW, 10))).toHaveLength(1)
    expect(valueIn(await context.store.renew({ leaseMs: LEASE_MS }))).toEqual([{ stream: 'shop', epoch: 1 }])
    expect(await claim(others.bob)).toEqual([])
  })

  it('takes its own lease that ran out again like any other, under a new epoch', async () => {
    await append(context.store, { due: NOW })
    await claim(context.store)
    await expire()
    expect(await claim(context.store)).toEqual([{ stream: 'shop', epoch: 2 }])
    expect(problemIn(await append(context.store, { epoch: 1, expectedRevision: 1 })).code).toBe(
      'STORE_FENCED',
    )
  })

  it('frees a released lease at once for the others', async () => {
    await append(context.store, { due: NOW })
    await claim(context.store)
    valueIn(await others.bob.release(['shop']))
    expect(await claim(others.bob)).toEqual([])
    valueIn(await context.store.release(['shop']))
    expect(await claim(others.bob)).toEqual([{ stream: 'shop', epoch: 2 }])
  })

  it('frees the leases of one that is closed, and of nobody else', async () => {
    for (const stream of ['api', 'shop']) await append(context.store, { stream, due: NOW })
    await claim(context.store, 1)
    await claim(others.bob, 1)
    await context.store.close()
    expect(await claim(others.bob)).toEqual([{ stream: 'api', epoch: 2 }])
    expect(valueIn(await others.bob.renew({ leaseMs: LEASE_MS }))).toHaveLength(2)
  })

  it('never takes two that joined under the same name for one', async () => {
    await append(context.store, { due: NOW })
    await claim(context.store)
    const twin = await joined(context, ADA)
    expect(valueIn(await twin.renew({ leaseMs: LEASE_MS }))).toEqual([])
    valueIn(await twin.release(['shop']))
    expect(problemIn(await append(twin, { epoch: 1, expectedRevision: 1 })).code).toBe('STORE_FENCED')
    valueIn(await twin.join(ADA))
    expect(valueIn(await append(context.store, { epoch: 1, expectedRevision: 1 }))).toEqual({ revision: 2 })
    await twin.close()
    expect(valueIn(await context.store.renew({ leaseMs: LEASE_MS }))).toHaveLength(1)
  })

  it('lets one write a command to a stream that another holds', async () => {
    await append(context.store, { due: NOW })
    await claim(context.store)
    expect(valueIn(await append(others.bob, { expectedRevision: 1, due: NOW }))).toEqual({ revision: 2 })
    expect(problemIn(await append(others.bob, { expectedRevision: 2, epoch: 1 })).code).toBe('STORE_FENCED')
    expect(valueIn(await append(context.store, { expectedRevision: 2, epoch: 1 }))).toEqual({ revision: 3 })
  })

  it('lets exactly one of several begin the same stream', async () => {
    const stores = [context.store, others.bob, context.store, others.bob]
    const results = await Promise.all(stores.map((store) => append(store)))
    expect(results.filter(({ kind }) => kind === 'ok')).toHaveLength(1)
    const lost = results.filter(({ kind }) => kind === 'failed').map((result) => problemIn(result).code)
    expect(lost).toEqual(['STORE_CONFLICT', 'STORE_CONFLICT', 'STORE_CONFLICT'])
  })

  it('hints at changes of others, until it is told to stop', async () => {
    const heard = new Set<string>()
    const stop = context.store.listen((stream) => heard.add(stream))
    // A hint may get lost, so each is given again until one arrives.
    const hinted = async (stream: string, change: () => Promise<unknown>) =>
      until(`a hint about ${stream}`, async () => {
        await change()
        return heard.has(stream)
      })
    let revision = 0
    await hinted('shop', async () => {
      revision = valueIn(await append(others.bob, { expectedRevision: revision, due: NOW })).revision
    })
    heard.clear()
    await hinted('shop', async () => {
      valueIn(await others.bob.release(['shop']))
      await claim(others.bob)
    })
    stop()
    heard.clear()
    await append(others.bob, { stream: 'api' })
    await until('the change is there', async () => valueIn(await context.store.load('api')) !== null)
    expect([...heard]).toEqual([])
  })
}
