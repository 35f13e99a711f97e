import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { pickEntry, SHOP_MIX } from './mix.ts'

describe('a mix', () => {
  it('picks each entry as often as its share says', () => {
    const counts = new Map<string, number>()
    for (let step = 0; step < 1000; step += 1) {
      const { method, path } = pickEntry(SHOP_MIX, step / 1000)
      counts.set(`${method} ${path}`, (counts.get(`${method} ${path}`) ?? 0) + 1)
    }
    expect(Object.fromEntries(counts)).toEqual({
      'GET /': 250,
      'GET /products': 150,
      'GET /products/mug': 100,
      'POST /checkout': 500,
    })
  })

  it('never picks an entry without a share, and always picks one', () => {
    const entry = (path: string, share: number) => ({ method: 'GET', path, share })
    const mix = [entry('/never', 0), entry('/a', 0.1), entry('/b', 0.2)]
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (random) => {
        expect(pickEntry(mix, random).path).not.toBe('/never')
      }),
    )
  })
})
