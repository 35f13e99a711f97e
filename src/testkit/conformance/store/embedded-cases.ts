import { expect, it } from 'vitest'
import { ADA, append, BOB, type Context, claim, LEASE_MS, NOW, problemIn, valueIn } from './kit.ts'

export function embeddedCases(context: Context): void {
  it('refuses a second controller and names the first', async () => {
    const second = await context.harness.open()
    const problem = problemIn(await second.join(BOB))
    expect(problem.code).toBe('STORE_LOCKED')
    expect(problem.message).toContain('4711')
    expect(problem.message).toContain('alpha')
    expect(problem.message).toContain('2026-01-02T00:00:00.000Z')
    await second.close()
    expect(valueIn(await append(context.store))).toEqual({ revision: 1 })
  })

  it('lets leases last as long as their controller is joined', async () => {
    await append(context.store, { due: NOW })
    valueIn(await context.store.claim({ now: NOW, leaseMs: 0, limit: 1 }))
    expect(await claim(context.store)).toEqual([])
    expect(valueIn(await context.store.renew({ leaseMs: 0 }))).toEqual([{ stream: 'shop', epoch: 1 }])
    expect(valueIn(await append(context.store, { epoch: 1, expectedRevision: 1 }))).toEqual({ revision: 2 })
    expect(valueIn(await context.store.leases())).toMatchObject([{ controller: ADA, until: null }])
  })

  it('frees the leases of the controller before, and raises their epochs when they are taken', async () => {
    await append(context.store, { due: NOW })
    await claim(context.store)
    await context.store.close()
    context.store = await context.harness.open()
    valueIn(await context.store.join(BOB))
    expect(valueIn(await context.store.leases())).toMatchObject([{ controller: null, epoch: 1 }])
    expect(valueIn(await context.store.renew({ leaseMs: LEASE_MS }))).toEqual([])
    expect(await claim(context.store)).toEqual([{ stream: 'shop', epoch: 2 }])
  })

  it('has no others whose changes it could tell', () => {
    expect(() => context.store.listen(() => undefined)()).not.toThrow()
  })
}
