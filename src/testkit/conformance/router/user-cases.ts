import { expect, it } from 'vitest'
import type { StickyRoute } from '../../../core/shared/side-routes.ts'
import type { VariantCounts } from '../../../core/shared/traffic-counts.ts'
import { type Bench, eventually, NEW, OLD, SERVICE, unwrap, type Visit } from './kit.ts'

const USERS = 160
const COOKIE = 'Who'
const ID = /^Who=[0-9a-f]{8}-[0-9a-f-]{27}; Path=\/; Max-Age=60; HttpOnly; SameSite=Lax$/
const STICKY = {
  kind: 'assign',
  cookie: COOKIE,
  forMs: 60_000,
  salt: 'rollout "1" %$',
  release: NEW,
} as const
const TEST = {
  by: null,
  variants: [
    { name: 'green', sharePermille: 250 },
    { name: 'blue-2', sharePermille: 250 },
  ],
  goal: { method: 'POST', path: '/orders/*' },
}

/** Users who keep their version, and those of an A/B test. */
export function userCases(bench: () => Bench): void {
  it('keeps users on their version while its share rises, gives new ones the share, and frees them (S46, S47)', async ({
    skip,
  }) => {
    const { setup, visit, put } = withUsers(bench(), skip)
    await put(300, STICKY)
    const users = await newUsers(visit)
    expect(near(countOf(users, NEW), 0.3)).toBe(true)
    expect(users.every(({ cookies }) => ID.test(cookies[0] ?? ''))).toBe(true)
    await setup.reload?.()
    const others = setup.second === undefined ? null : await setup.second()
    for (const permille of [300, 600]) {
      await put(permille, STICKY, others ?? setup.router)
      for (const user of users.slice(0, 50)) {
        const again = await visit({ headers: { cookie: `a=1; ${cookieOf(user)}` } })
        if (user.body === NEW || permille === 300) expect(again.body).toBe(user.body)
        expect(again.cookies).toEqual([])
      }
    }
    expect(near(countOf(await newUsers(visit), NEW), 0.6)).toBe(true)
    const invented = await visit({ headers: { cookie: `${COOKIE}=me` } })
    expect(invented.cookies[0]).toMatch(ID)
    // A cache that others share would hand one user's cookie to all.
    expect((await visit({ path: '/public' })).cookies).toEqual([])
    await put(0, { kind: 'expire', cookie: COOKIE, forMs: 60_000 })
    const freed = await visit({ headers: { cookie: cookieOf(users[0]) } })
    expect([freed.body, freed.cookies]).toEqual([
      OLD,
      [`${COOKIE}=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax`],
    ])
    expect((await visit({})).cookies).toEqual([])
  })

  it('deals the users of an A/B test, tells the release the variant, and counts each goal once (S45)', async ({
    skip,
  }) => {
    const { visit, put, arms } = withUsers(bench(), skip)
    await put(500, { ...STICKY, test: TEST })
    const users = await newUsers(visit)
    const inArm = (variant: string | null) => users.filter((user) => user.variant === variant)
    expect(users.every(({ body, variant }) => (body === NEW) === (variant !== null))).toBe(true)
    for (const name of ['green', 'blue-2']) expect(near(inArm(name).length, 0.25)).toBe(true)
    const order = async (user: Visit, path = '/orders/7?x=1', more = '') =>
      visit({
        path,
        method: 'POST',
        headers: { cookie: `${cookieOf(user)}${more}`, 'sluice-variant': 'own' },
      })
    for (const user of inArm('green').slice(0, 9)) {
      const first = await order(user)
      expect(first).toMatchObject({ body: NEW, variant: 'green' })
      expect(first.cookies[0]).toMatch(/^Who-goal=[^;]+; Path=\/; Max-Age=60; HttpOnly; SameSite=Lax$/)
      expect((await order(user, '/orders/8', `; ${cookieOf(first)}`)).cookies).toEqual([])
    }
    for (const user of inArm(null).slice(0, 4)) await order(user)
    const [other] = inArm('blue-2')
    if (other === undefined) throw new Error('nobody is in this arm')
    for (const path of ['/orders', '/other', '/orders/fail']) await order(other, path)
    await eventually('all are counted', async () => {
      const counted = await arms()
      return counted.green?.goals === 9 && counted.control?.goals === 4 ? counted : null
    })
    expect(await arms()).toEqual({
      control: { users: inArm(null).length, goals: 4 },
      green: { users: inArm('green').length, goals: 9 },
      'blue-2': { users: inArm('blue-2').length, goals: 0 },
    })
  })

  it('knows users by what the service says of them, and leaves who takes no part with stable', async ({
    skip,
  }) => {
    const { visit, put, arms } = withUsers(bench(), skip)
    const country = (value: string) => ({ kind: 'exact', in: 'header', name: 'X-Country', value }) as const
    const where = [
      [country('de'), country('at')],
      [{ kind: 'pattern', in: 'cookie', name: 'plan', pattern: 'pro-*' } as const],
    ]
    const test = { ...TEST, by: { in: 'header', name: 'X-User' } as const, where }
    await put(500, { ...STICKY, test })
    const part = { 'x-country': 'at', cookie: 'plan=pro-1' }
    for (const headers of [
      { 'x-user': 'u1' },
      { ...part, 'x-user': 'u1', 'x-country': 'AT' },
      { ...part, 'x-user': 'u1', cookie: 'plan=free' },
      part,
      { ...part, 'x-user': '' },
    ])
      for (let turn = 0; turn < 6; turn += 1)
        expect(await visit({ headers }), JSON.stringify(headers)).toMatchObject({ body: OLD, cookies: [] })
    const seen: Visit[] = []
    for (let user = 0; user < 40; user += 1) {
      const headers = { ...part, 'x-user': `u${user}` }
      const first = await visit({ headers })
      expect(await visit({ headers })).toEqual(first)
      seen.push(await visit({ headers, method: 'POST', path: '/orders/1' }))
    }
    expect(new Set(seen.map(({ variant }) => variant))).toEqual(new Set([null, 'green', 'blue-2']))
    await eventually('all are counted', async () => {
      const all = Object.values(await arms())
      return all.reduce((sum, { goals }) => sum + goals, 0) === 40 ? true : null
    })
    expect(Object.values(await arms()).map(({ users }) => users)).toEqual([0, 0, 0])
  })
}

function withUsers({ setup, routes }: Bench, skip: (why: string) => never) {
  const { visit } = setup
  if (visit === undefined) return skip('no users with cookies in this set-up')
  let sequence = 0
  return {
    setup,
    visit: (given: Parameters<typeof visit>[0]) => visit(given),
    async put(permille: number, sticky: StickyRoute, router = setup.router) {
      sequence += 1
      const done = await router.setRoutes(routes(permille, sequence, { sticky }))
      if (done.kind === 'failed' && done.problem.code === 'ROUTER_CANNOT') skip(done.problem.message)
      unwrap(done)
    },
    async arms() {
      const answer = await setup.counts?.query(SERVICE)
      const arms: VariantCounts[] = answer?.kind === 'samples' ? (answer.counts.variants ?? []) : []
      return Object.fromEntries(
        arms.map(({ variant, users, goals }) => [variant ?? 'control', { users, goals }]),
      )
    },
  }
}

async function newUsers(visit: (given: object) => Promise<Visit>): Promise<Visit[]> {
  const users: Visit[] = []
  for (let user = 0; user < USERS; user += 1) users.push(await visit({}))
  return users
}

const countOf = (users: readonly Visit[], release: string): number =>
  users.filter(({ body }) => body === release).length

/** Within 5 standard deviations: further off once in a million times. */
const near = (count: number, share: number): boolean =>
  Math.abs(count - USERS * share) < 5 * Math.sqrt(USERS * share * (1 - share))

const cookieOf = (visit: Visit | undefined): string => visit?.cookies[0]?.split(';')[0] ?? ''
