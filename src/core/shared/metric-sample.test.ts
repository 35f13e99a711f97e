import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { amountOf, countedFrom, histogramFrom } from './metric-sample.ts'
import { fillTemplate, placeholderValues } from './metric-template.ts'

const counts = fc.array(fc.nat(1000), { minLength: 2, maxLength: 12 })

describe('numbers of a source', () => {
  it.each([
    [12, 12],
    ['12', 12],
    [' 1.5e3 ', 1500],
    ['.5', 0.5],
    ['-3', -3],
    ['NaN', Number.NaN],
    ['+Inf', Number.POSITIVE_INFINITY],
    ['-infinity', Number.NEGATIVE_INFINITY],
    [null, null],
    ['', undefined],
    ['12 apples', undefined],
    ['0x10', undefined],
    [true, undefined],
    [[1], undefined],
    [undefined, undefined],
  ])('%j is %j', (input, amount) => {
    expect(amountOf(input)).toEqual(amount)
  })

  it('make a sample, nothing, or what cannot be, and never one for another (S54)', () => {
    const part = fc.option(
      fc.oneof(fc.nat(), fc.double(), fc.constantFrom(Number.NaN, -1, Number.POSITIVE_INFINITY)),
    )
    fc.assert(
      fc.property(part, part, (bad, total) => {
        const counted = countedFrom('ratio', { bad, total })
        const isCount = [bad, total].every((one) => one !== null && Number.isFinite(one) && one >= 0)
        if (bad === null || total === null) expect(counted.kind).toBe('no-data')
        // Sums of a source may be off by a millionth; of large numbers that is more than one.
        else if (!isCount || bad > total * 1.000002 + 1) expect(counted.kind).toBe('impossible')
        else if (bad <= total)
          expect(counted).toEqual({ kind: 'sample', sample: { kind: 'ratio', bad, total } })
      }),
    )
  })

  it('of rates need an exposure for their events', () => {
    expect(countedFrom('rate', { events: 1, exposure: 0 }).kind).toBe('impossible')
    expect(countedFrom('rate', { events: 0, exposure: 0 }).kind).toBe('sample')
    expect(countedFrom('rate', { events: 5, exposure: 2 }).kind).toBe('sample')
  })
})

describe('buckets', () => {
  it('are the same from running totals and from single counts', () => {
    fc.assert(
      fc.property(counts, (wanted) => {
        const bounds = wanted.slice(1).map((_, index) => index / 10)
        const les = [...bounds, Number.POSITIVE_INFINITY]
        const single = les.map((le, index) => ({ le, count: wanted[index] ?? 0 }))
        let below = 0
        const cumulative = single.map(({ le, count }) => {
          below += count
          return { le, count: below }
        })
        const sample = { kind: 'sample', sample: { kind: 'histogram', bounds, counts: wanted } }
        expect(histogramFrom(bounds, single, { cumulative: false })).toEqual(sample)
        expect(histogramFrom(bounds, cumulative, { cumulative: true })).toEqual(sample)
        // The order of the rows means nothing, and empty ones may be left out where each counts for itself.
        const some = single.filter(({ count }) => count > 0).toReversed()
        if (some.length > 0) expect(histogramFrom(bounds, some, { cumulative: false })).toEqual(sample)
      }),
    )
  })

  it('may be fewer than the source has, where totals run', () => {
    const rows = [
      { le: 1, count: 5 },
      { le: 2, count: 7 },
      { le: 3, count: 12 },
      { le: Number.POSITIVE_INFINITY, count: 20 },
    ]
    expect(histogramFrom([2], rows, { cumulative: true })).toMatchObject({ sample: { counts: [7, 13] } })
  })

  it.each([
    [
      'twice',
      [
        { le: 1, count: 1 },
        { le: 1, count: 1 },
      ],
      'there twice',
    ],
    ['of no bound', [{ le: Number.NaN, count: 1 }], 'a bound is NaN'],
    ['of a bound that was not declared', [{ le: 7, count: 1 }], 'does not declare'],
    ['without a count', [{ le: 1, count: null }], 'holds null'],
    ['below zero', [{ le: 1, count: -1 }], 'holds -1'],
  ])('cannot be there %s', (_title, rows, what) => {
    expect(histogramFrom([1], rows, { cumulative: false })).toMatchObject({
      kind: 'impossible',
      what: expect.stringContaining(what),
    })
  })

  it('are no data when there are none', () => {
    expect(histogramFrom([1], [], { cumulative: false }).kind).toBe('no-data')
  })
})

describe('placeholders', () => {
  const subject = { service: 'shop', environment: 'local', version: '1.4.0', release: null }

  it('give moments in seconds and milliseconds, and a window as PromQL writes it', () => {
    expect(placeholderValues(subject, { fromMs: 1500, toMs: 31_500 })).toMatchObject({
      from: '1.5',
      to: '31.5',
      fromMs: '1500',
      toMs: '31500',
      window: '30s',
      release: '',
    })
    expect(placeholderValues(subject, { fromMs: 0, toMs: 1250 }).window).toBe('1250ms')
  })

  it('are filled everywhere, each through what keeps it inside its quotes', () => {
    const values = placeholderValues({ ...subject, version: '$&"' }, { fromMs: 0, toMs: 1000 })
    expect(fillTemplate('{{version}} {{version}} {{nobody}}', values, (value) => JSON.stringify(value))).toBe(
      '"$&\\"" "$&\\"" {{nobody}}',
    )
  })
})
