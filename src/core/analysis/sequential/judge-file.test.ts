import { describe, expect, it } from 'vitest'
import { verdictOfAll } from './judge.ts'
import { JudgeInput, JudgeOutput, judgeAll, outputOf } from './judge-file.ts'

const batch = (x: number, n: number, y: number, m: number) => ({
  candidate: { bad: x, total: n },
  stable: { bad: y, total: m },
})
const judged = (input: unknown): JudgeOutput => JudgeOutput.parse(outputOf(judgeAll(JudgeInput.parse(input))))
const BAD = [batch(40, 1000, 1, 1000), batch(45, 1000, 2, 1000)]
const GOOD = Array.from({ length: 12 }, () => batch(1, 1000, 1, 1000))

describe('the judge of a file', () => {
  it('has the defaults of the product', () => {
    const written = { alpha: 0.01, metrics: [{ name: 'errors', kind: 'ratio', batches: BAD }] }
    const inFull = {
      alpha: 0.01,
      metrics: [
        {
          name: 'errors',
          kind: 'ratio',
          direction: 'more-is-worse',
          grid: 'coarse',
          tolerance: { ratio: 1, points: 0.1 },
          notice: { points: 1 },
          dispersion: 1,
          batches: BAD,
        },
      ],
    }
    expect(JudgeInput.parse({ metrics: written.metrics })).toEqual(inFull)
    expect(judged(written)).toEqual(judged(inFull))
  })

  it('tells a bad candidate with its numbers', () => {
    const { verdict, metrics } = judged({ metrics: [{ name: 'errors', kind: 'ratio', batches: BAD }] })
    expect(verdict).toBe('worse')
    expect(metrics[0]).toMatchObject({
      name: 'errors',
      verdict: 'worse',
      crossedAtBatch: 1,
      candidate: { bad: 85, total: 2000, share: 0.0425 },
      stable: { bad: 3, total: 2000, share: 0.0015 },
    })
    expect(metrics[0]?.ratioLowerBound).toBeGreaterThan(5)
    expect(metrics[0]?.pointsLowerBound).toBeGreaterThan(2)
    expect(metrics[0]?.pValue).toBeLessThan(0.01)
    expect(metrics[0]?.explanation).toMatch(
      /^errors: candidate 4\.25% \(85 of 2,000\), stable 0\.15% \(3 of 2,000\): at least [\d.]+ times and [\d.]+ points too many\. Fewer than 1 in [\d,]+ healthy candidates would look this bad\. It was shown with batch 1 of 2\. Up to [\d.]+% throughout would have passed\.$/,
    )
  })

  it('shares the budget among the metrics for "worse", and not for "not-worse"', () => {
    const metrics = ['a', 'b', 'c', 'd'].map((name) => ({ name, kind: 'ratio', batches: GOOD }))
    const { verdict, metrics: found } = judged({ alpha: 0.04, metrics })
    expect(found.map(({ threshold }) => threshold)).toEqual(new Array(4).fill(Math.log(1 / 0.01)))
    expect(verdict).toBe('not-worse')
    expect(found[0]?.explanation).toContain('That it is 1 point worse is ruled out')
  })

  it('says how many more requests are needed, and when nothing was compared', () => {
    const { metrics } = judged({
      metrics: [
        { name: 'few', kind: 'ratio', batches: [batch(0, 100, 1, 900)] },
        { name: 'none', kind: 'ratio', batches: [] },
        { name: 'alone', kind: 'ratio', batches: [batch(5, 100, 0, 0)] },
      ],
    })
    expect(metrics.map(({ verdict }) => verdict)).toEqual(['watching', 'no-data', 'no-data'])
    expect(metrics[0]?.explanation).toMatch(
      /To notice one that is 1 point worse takes about [\d,]+ more candidate requests/,
    )
    expect(metrics[1]).toMatchObject({
      candidate: null,
      ratioLowerBound: null,
      crossedAtBatch: null,
      pValue: 1,
    })
    expect(metrics[2]?.explanation).toContain('stable had no requests. No batch has both versions')
  })

  it('judges rates and histograms', () => {
    const { metrics } = judged({
      metrics: [
        {
          name: 'crashes',
          kind: 'rate',
          batches: [{ candidate: { events: 30, exposure: 60 }, stable: { events: 1, exposure: 60 } }],
        },
        {
          name: 'latency',
          kind: 'histogram',
          bounds: [100, 500],
          batches: [{ candidate: { counts: [700, 100, 200] }, stable: { counts: [900, 90, 10] } }],
        },
      ],
    })
    expect(metrics.map(({ verdict }) => verdict)).toEqual(['worse', 'worse'])
    expect(metrics[0]?.explanation).toContain('candidate 50 per 100 (30 in 60)')
    expect(metrics[1]?.explanation).toContain('candidate 20% above 500 (200 of 1,000)')
    expect(metrics[1]?.candidate).toEqual({ counts: [700, 100, 200], total: 1000 })
  })
})

describe('the verdict of all metrics', () => {
  it.each([
    [['not-worse', 'worse', 'no-data', 'watching'], 'worse'],
    [['not-worse', 'no-data', 'watching'], 'watching'],
    [['not-worse', 'no-data'], 'no-data'],
    [['no-data'], 'no-data'],
    [['not-worse', 'not-worse'], 'not-worse'],
  ] as const)('of %j is %s: no data is never taken for health', (verdicts, expected) => {
    expect(verdictOfAll(verdicts)).toBe(expected)
  })
})

describe('the file', () => {
  const refused = (input: unknown): string =>
    JudgeInput.safeParse(input)
      .error?.issues.map(({ path, message }) => `${path.join('.')} ${message}`)
      .join('\n') ?? 'taken'
  const ratio = (of: object) => ({ metrics: [{ name: 'a', kind: 'ratio', batches: BAD, ...of }] })

  it.each([
    [ratio({ tolerence: { ratio: 1 } }), 'tolerence'],
    [ratio({ batches: [batch(5, 3, 0, 1)] }), 'metrics.0.batches.0.candidate.bad holds more bad ones'],
    [ratio({ batches: [batch(-1, 3, 0, 1)] }), 'metrics.0.batches.0.candidate.bad'],
    [ratio({ batches: [batch(0, 1e300, 0, 1)] }), 'metrics.0.batches.0.candidate.total'],
    [ratio({ batches: [batch(0, Number.NaN, 0, 1)] }), 'metrics.0.batches.0.candidate.total'],
    [ratio({ dispersion: 0.5 }), 'metrics.0.dispersion'],
    [ratio({ kind: 'gauge' }), 'metrics.0.kind'],
    [{ metrics: [] }, 'metrics'],
    [{ alpha: 0, ...ratio({}) }, 'alpha'],
    [{ metrics: [...ratio({}).metrics, ...ratio({}).metrics] }, 'so is that of another metric'],
    [
      {
        metrics: [
          {
            name: 'a',
            kind: 'histogram',
            bounds: [1, 2],
            batches: [{ candidate: { counts: [1, 2, 3] }, stable: { counts: [1, 2] } }],
          },
        ],
      },
      'metrics.0.batches.0.stable.counts has 2 entries, but must have 3',
    ],
    [{ metrics: [{ name: 'a', kind: 'histogram', bounds: [2, 1], batches: [] }] }, 'must rise'],
  ])('is refused with its place: %j', (input, message) => {
    expect(refused(input)).toContain(message)
  })
})
