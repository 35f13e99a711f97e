import fc from 'fast-check'
import { expect, it } from 'vitest'
import { routesOf } from '../../../proxy/proxy-process.test.kit.ts'
import { slotOf } from './names.ts'
import { entriesOf, readTable } from './table.ts'

const placed = (weights: readonly number[], more = {}) => {
  const sets = weights.map((weight, at) => ({ release: `r${at}`, weight, ports: [at + 1] }))
  const listening = { host: '127.0.0.1', port: 1 }
  const slots = weights.map((_, at) => `r${at}`)
  return {
    routes: routesOf(sets, 7, more),
    place: { listening, preview: null, slots, cookie: null, tls: null },
  }
}

it('reads back each share and the token that it wrote, whatever the weights', () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(500), { minLength: 1, maxLength: 5 }),
      fc.option(fc.string()),
      (raw, rollout) => {
        const sum = raw.reduce((total, weight) => total + weight, 0)
        fc.pre(sum <= 1000)
        const weights = [...raw, 1000 - sum]
        const token = { epoch: 3, sequence: 9, rollout }
        const table = readTable(entriesOf(placed(weights, { token })))
        expect(weights.map((_, at) => table.permille.get(slotOf('shop', at)) ?? 0)).toEqual(weights)
        expect(table.token).toEqual(token)
      },
    ),
  )
})

it('gives every number under 1,000 to exactly one release', () => {
  const entries = entriesOf(placed([333, 1, 0, 666]))
  const dealt = entries.flatMap(({ key }) => {
    const [from = '', to = ''] = key.split(':')
    return to === ''
      ? []
      : Array.from({ length: Number(to) - Number(from) + 1 }, (_, at) => Number(from) + at)
  })
  expect(dealt).toEqual(Array.from({ length: 1000 }, (_, at) => at))
})

it('reads what somebody wrote by hand as what it is', () => {
  const table = readTable([
    { key: '0:1499', value: 'a' },
    { key: '2000', value: 'nonsense' },
    { key: 'x', value: 'b' },
    { key: '4000', value: '30' },
  ])
  expect([table.permille.get('a'), table.permille.get('b'), table.token]).toEqual([1000, undefined, null])
  expect(table.closed).toEqual({ retryAfterS: 30 })
})
