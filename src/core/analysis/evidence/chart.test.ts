import { describe, expect, it } from 'vitest'
import { describeChart, evidenceChart } from './chart.ts'
import type { CheckEvidence, ValueEvidence } from './evidence.ts'
import { node, type SvgNode, svgText } from './svg.ts'
import { valueChart } from './value-chart.ts'

const point = (at: number, logE: number) => ({
  at,
  logE,
  candidate: { bad: 2, total: 50 },
  stable: { bad: 0, total: 100 },
})
const evidence = (change: Partial<CheckEvidence> = {}): CheckEvidence => ({
  name: 'errors against stable',
  tier: 'compare',
  verdict: 'worse',
  sentence: 'more errors',
  limit: 'stable + 0.1 points',
  boundMs: null,
  about: 'errors',
  counted: 'Errors',
  unit: 'percent',
  harm: 'more',
  asking: null,
  limitShare: null,
  candidate: { bad: 8, total: 200 },
  stable: { bad: 0, total: 400 },
  logE: 6.1,
  peakLogE: 6.1,
  threshold: 5.7,
  pValue: 0.002,
  oneIn: 445,
  crossedAt: 3000,
  crossedAtBatch: 3,
  looks: 4,
  atLeast: { ratio: 2, points: 1, share: null },
  passing: 0.02,
  needed: { what: '', toNotice: null, toRuleOut: null },
  leastNoticed: null,
  dispersion: { phi: 1, evidence: 'full', minutes: 60 },
  points: [point(1000, 0.5), point(2000, 3), point(3000, 6), point(4000, 6.1)],
  ...change,
})
const options = { width: 400, candidate: '1.1.0', stable: '1.0.0' }

const all = (tree: SvgNode): SvgNode[] => [
  tree,
  ...tree.children.flatMap((child) => (typeof child === 'string' ? [] : all(child))),
]
const withClass = (tree: SvgNode, name: string): SvgNode[] =>
  all(tree).filter(({ attributes }) =>
    String(attributes.class ?? '')
      .split(' ')
      .includes(name),
  )
const heightOf = (tree: SvgNode | undefined): number =>
  Number(/ ([\d.]+)H/.exec(String(tree?.attributes.d))?.[1])

describe('the chart of evidence', () => {
  it('has the curve, the threshold that it crosses, the crossing, and both rates', () => {
    const chart = evidenceChart(evidence(), options)
    const [threshold] = withClass(chart, 'threshold')
    const [crossing] = withClass(chart, 'crossing')
    expect(Number(crossing?.attributes.cy)).toBeLessThan(heightOf(threshold))
    expect(withClass(chart, 'evidence-line')).toHaveLength(1)
    // Each rate is a line and an entry of the legend.
    expect(withClass(chart, 'candidate-line')).toHaveLength(2)
    expect(withClass(chart, 'stable-line')).toHaveLength(2)
    expect(withClass(chart, 'limit')).toEqual([])
    expect(withClass(evidenceChart(evidence({ limitShare: 0.05 }), options), 'limit')).toHaveLength(1)
  })

  it.each([240, 360, 400, 1280])('keeps everything inside of %i pixels', (width) => {
    const many = Array.from({ length: 240 }, (_, at) => point(at * 1000, at % 2 === 0 ? -500 : 5000))
    const chart = evidenceChart(evidence({ points: many }), { ...options, width, candidate: 'v'.repeat(300) })
    const height = Number(chart.attributes.height)
    for (const { attributes } of all(chart).slice(1)) {
      const numbers = String(attributes.d ?? '').match(/-?[\d.]+/g) ?? []
      for (const value of numbers.map(Number)) {
        expect(value).toBeGreaterThanOrEqual(0)
        expect(value).toBeLessThanOrEqual(Math.max(width, height))
      }
    }
    for (const { children } of all(chart).filter(({ tag }) => tag === 'text'))
      expect(String(children[0]).length * 6).toBeLessThan(width)
  })

  it.each([
    ['no batch', []],
    ['one batch', [point(1000, 1)]],
  ])('can be drawn with %s', (_, points) => {
    expect(svgText(evidenceChart(evidence({ points, crossedAt: null }), options))).not.toMatch(
      /NaN|Infinity|undefined/,
    )
  })

  it('says in words what it shows', () => {
    expect(describeChart(evidence(), options)).toBe(
      'errors against stable: worse. Evidence after 4 batches 6.1, at most 6.1; worse from 5.7 on. It was reached with batch 3 of the rollout. Errors: 1.1.0 4.0% (8 of 200), 1.0.0 0.0% (0 of 400).',
    )
    const declared = { about: 'declared', counted: 'failures per 100', unit: 'per-100' } as const
    expect(describeChart(evidence({ ...declared, crossedAtBatch: 1 }), options)).toBe(
      'errors against stable: worse. Evidence after 4 windows 6.1, at most 6.1; worse from 5.7 on. It was reached with window 1. failures per 100: 1.1.0 4 per 100 (8 in 200), 1.0.0 0 per 100 (0 in 400).',
    )
  })

  it('has colours of its own, light and dark, only where it stands alone', () => {
    expect(svgText(evidenceChart(evidence(), options))).not.toContain('<style>')
    const alone = svgText(evidenceChart(evidence(), { ...options, isAlone: true }))
    expect(alone).toContain('prefers-color-scheme:dark')
    expect(alone).toContain('<title>errors against stable: worse</title>')
  })
})

describe('the chart of values', () => {
  const of = (count: number, change: Partial<ValueEvidence> = {}): ValueEvidence => ({
    name: 'revenue '.repeat(30),
    tier: 'warning',
    verdict: 'warning',
    sentence: '',
    limit: 'warning 10%, critical 50%',
    direction: 'either',
    warningPercent: 10,
    criticalPercent: 50,
    warnedAt: null,
    criticalAt: null,
    passing: null,
    windows: count,
    asking: { provider: 'sql', asked: [], window: null, counted: count, empty: 0, failed: 0 },
    points: Array.from({ length: count }, (_, at) => ({
      at: at * 1000,
      candidate: at % 2 === 0 ? -12_345_678 : 98_765,
      stable: 1e7,
      percent: -10,
    })),
    ...change,
  })

  it.each([0, 1, 240])(
    'keeps %i windows inside, with both versions and each limit on both sides',
    (count) => {
      const chart = valueChart(of(count), { ...options, isAlone: true })
      for (const { attributes } of all(chart).slice(1))
        for (const number of (String(attributes.d ?? '').match(/-?[\d.]+/g) ?? []).map(Number)) {
          expect(number).toBeGreaterThanOrEqual(0)
          expect(number).toBeLessThanOrEqual(options.width)
        }
      for (const { children } of all(chart).filter(({ tag }) => tag === 'text'))
        expect(String(children[0]).length * 6).toBeLessThan(options.width)
      expect(svgText(chart)).not.toMatch(/NaN|Infinity|undefined/)
      expect(withClass(chart, 'caution')).toHaveLength(2)
      expect(withClass(chart, 'limit')).toHaveLength(2)
      expect(withClass(chart, 'candidate-line')).toHaveLength(2)
    },
  )

  it('has limits on the side that is the harm, and none that was not declared', () => {
    const chart = valueChart(of(3, { direction: 'less-is-worse', criticalPercent: null }), options)
    expect(withClass(chart, 'caution')).toHaveLength(1)
    expect(withClass(chart, 'limit')).toEqual([])
  })
})

describe('a drawing as text', () => {
  it('keeps what came from outside text', () => {
    const drawn = svgText(node('text', { 'aria-label': '"><script>' }, '<script>&\u0000'))
    expect(drawn).toBe('<text aria-label="&quot;&gt;&lt;script&gt;">&lt;script&gt;&amp; </text>')
  })
})
