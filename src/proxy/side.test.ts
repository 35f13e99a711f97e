import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { describe, expect, it } from 'vitest'
import type { RouteSet } from '../core/shared/routes.ts'
import type { Participants, VariantRoute } from '../core/shared/side-routes.ts'
import { type Aside, Side } from './side.ts'

const WHERE: Participants = [
  [
    { kind: 'exact', in: 'header', name: 'X-Country', value: 'de' },
    { kind: 'exact', in: 'header', name: 'X-Country', value: 'at' },
  ],
  [{ kind: 'pattern', in: 'cookie', name: 'plan', pattern: 'pro*' }],
]
const set = (release: string, weightPermille: number): RouteSet => ({
  release,
  version: release,
  weightPermille,
  instances: [],
})

function sideOf(change: Partial<VariantRoute> = {}, weight = 500): Side {
  const test: VariantRoute = {
    by: null,
    variants: [{ name: 'green', sharePermille: 500 }],
    goal: { method: 'POST', path: '/orders' },
    ...change,
  }
  return new Side(
    {
      rules: [],
      sticky: { kind: 'assign', cookie: 'sluice-ab', forMs: 1000, salt: 'r1', release: 'v2', test },
    },
    {
      sets: [set('v1', 1000 - weight), set('v2', weight)],
      trustForwarded: false,
      since: 0,
      goals: null,
    },
  )
}

/** What a side reads of a request, and nothing else. */
const asked = (side: Side, headers: IncomingHttpHeaders): Aside =>
  side.of({ headers, method: 'GET', url: '/', socket: {} } as IncomingMessage)
const OUTSIDE = { release: 'v1', isRuled: true, variant: null, extra: null }
const PART = { 'x-country': 'at', cookie: 'a=1; plan=pro-2' }

describe('a test for some users', () => {
  it('leaves whoever does not fit with stable, without a cookie, and counted apart (S45)', () => {
    const side = sideOf({ where: WHERE })
    for (const headers of [
      {},
      { 'x-country': 'at' },
      { 'x-country': 'fr', cookie: 'plan=pro' },
      { 'x-country': 'at, de', cookie: 'plan=pro' },
      { 'x-country': 'at', cookie: 'plan=free' },
      { 'x-country': 'AT', cookie: 'plan=pro' },
    ])
      for (let turn = 0; turn < 20; turn += 1) expect(asked(side, headers)).toMatchObject(OUTSIDE)
  })

  it('deals out whoever does (S45)', () => {
    const side = sideOf({ where: WHERE })
    const seen = Array.from({ length: 200 }, () => asked(side, PART))
    expect(new Set(seen.map(({ release }) => release))).toEqual(new Set(['v1', 'v2']))
    expect(seen.every(({ isRuled, extra }) => !isRuled && extra?.[0] === 'set-cookie')).toBe(true)
  })

  it('asks for both, a name and what has to be so', () => {
    const side = sideOf({ where: WHERE, by: { in: 'header', name: 'x-user' } })
    expect(asked(side, PART)).toMatchObject(OUTSIDE)
    expect(asked(side, { 'x-user': 'ada' })).toMatchObject(OUTSIDE)
    const users = Array.from({ length: 200 }, (_, at) => asked(side, { ...PART, 'x-user': `user-${at}` }))
    expect(users.some(({ variant }) => variant === 'green')).toBe(true)
    expect(users.some(({ release }) => release === 'v1')).toBe(true)
  })

  it('keeps nobody with stable once the candidate has all traffic', () => {
    for (const change of [{ where: WHERE }, { by: { in: 'header' as const, name: 'x-user' } }])
      expect(asked(sideOf(change, 1000), {})).toMatchObject({ release: null, isRuled: false })
  })
})
