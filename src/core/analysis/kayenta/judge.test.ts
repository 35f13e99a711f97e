import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Result } from '../../shared/result.ts'
import { judgeKayenta, type KayentaJudgement } from './judge.ts'

const CALM = [1, 2, 1.5, 1.2, 1.8, 1.1, 1.9, 1.4]
const WILD = [20, 22, 21, 25, 30, 24, 23, 27]

type Canary = Record<string, unknown>

const metric = (name: string, canary: Canary = {}, groups: readonly string[] = ['all']) => ({
  name,
  query: { type: 'prometheus', metricName: name, serviceType: 'prometheus' },
  groups,
  analysisConfigurations: { canary },
  scopeName: 'default',
})

const config = (metrics: readonly object[], classifier: object = {}) => ({
  name: 'shop',
  configVersion: '1.0',
  applications: ['ad-hoc'],
  judge: { name: 'NetflixACAJudge-v1.0', judgeConfigurations: {} },
  metrics,
  templates: {},
  classifier: { scoreThresholds: { pass: 95, marginal: 75 }, ...classifier },
})

const pair = (name: string, control: readonly unknown[], experiment: readonly unknown[]) => ({
  name,
  id: `${name}-1`,
  tags: {},
  values: { control, experiment },
  scopes: {},
})

const judged = (result: Result<KayentaJudgement>): KayentaJudgement => {
  if (result.kind === 'failed') throw new Error(result.problem.message)
  return result.value
}

const flawOf = (result: Result<KayentaJudgement>) => (result.kind === 'failed' ? result.problem : null)

describe('the judgement', () => {
  it('labels metrics, scores groups by weight and says the verdict', () => {
    const given = config([metric('errors', {}, ['traffic']), metric('cpu', {}, ['system'])], {
      groupWeights: { traffic: 75 },
    })
    const { metrics, groups, score, verdict } = judged(
      judgeKayenta(given, [pair('errors', CALM, [...CALM].reverse()), pair('cpu', CALM, WILD)]),
    )
    expect(metrics.map(({ name, label }) => [name, label])).toEqual([
      ['errors', 'Pass'],
      ['cpu', 'High'],
    ])
    expect(groups).toEqual([
      { name: 'traffic', score: 100, weight: 75 },
      { name: 'system', score: 0, weight: 25 },
    ])
    expect({ score, verdict }).toEqual({ score: 75, verdict: 'Marginal' })
  })

  it.each([
    ['increase', 'Pass'],
    ['decrease', 'Low'],
    ['either', 'Low'],
  ])('looks in direction %s only', (direction, label) => {
    const { metrics } = judged(
      judgeKayenta(config([metric('speed', { direction })]), [pair('speed', WILD, CALM)]),
    )
    expect(metrics[0]?.label).toBe(label)
  })

  it('is 0 when a critical metric fails by its critical limit, and not when it stays below it', () => {
    const judge = (criticalIncrease: number) =>
      judged(
        judgeKayenta(
          config([metric('errors', { critical: true, effectSize: { criticalIncrease } }), metric('cpu')]),
          { errors: { control: CALM, experiment: WILD }, cpu: { control: CALM, experiment: CALM } },
        ),
      )
    expect(judge(2)).toMatchObject({
      score: 0,
      verdict: 'Fail',
      metrics: [{ label: 'High', critical: true }, {}],
    })
    expect(judge(1000)).toMatchObject({ score: 50, metrics: [{ label: 'High', critical: false }, {}] })
  })

  it('passes a rise that is smaller than the allowed effect', () => {
    const given = config([metric('errors', { effectSize: { allowedIncrease: 50 } })])
    const { metrics } = judged(judgeKayenta(given, [pair('errors', CALM, WILD)]))
    expect(metrics[0]).toMatchObject({ label: 'Pass', test: { effect: expect.closeTo(16.13, 1) } })
  })

  it('gives the same verdict each time when both sides are constant but differ', () => {
    const given = config([metric('errors')])
    const data = [pair('errors', [0, 0, 0, 0, 0], [10, 10, 10, 10, 10])]
    const first = judged(judgeKayenta(given, data))
    expect(first.metrics[0]?.label).toBe('High')
    expect(judgeKayenta(given, data)).toEqual(judgeKayenta(given, data))
  })

  it.each([
    [{}, 'Nodata', 0],
    [{ critical: true }, 'Nodata', 0],
    [{ mustHaveData: true }, 'NodataFailMetric', 50],
    [{ mustHaveData: true, critical: true }, 'Nodata', 0],
    [{ nanStrategy: 'replace' }, 'Pass', 100],
  ])('labels a metric without points: %o', (canary, label, score) => {
    const result = judged(
      judgeKayenta(config([metric('errors', canary), metric('cpu')]), [
        pair('errors', CALM, []),
        pair('cpu', CALM, CALM),
      ]),
    )
    expect(result.metrics[0]?.label).toBe(label)
    expect(result.score).toBe(score)
  })

  it('drops points without a value, or takes them for 0', () => {
    const data = [pair('errors', [5, null, 5], [5, 'NaN', 5, 5])]
    const judge = (nanStrategy: string) =>
      judged(judgeKayenta(config([metric('errors', { nanStrategy })]), data)).metrics[0]
    expect(judge('remove')).toMatchObject({ control: { points: 2, removed: 1, mean: 5 } })
    expect(judge('replace')).toMatchObject({
      control: { points: 3, removed: 0, mean: expect.closeTo(10 / 3) },
    })
  })

  it('removes outliers when the metric asks for it', () => {
    const spike = [...CALM, 1, 1.3, 1.6, 1.7, 1000]
    const judge = (strategy: string) =>
      judged(
        judgeKayenta(config([metric('cpu', { outliers: { strategy, outlierFactor: 3 } })]), [
          pair('cpu', CALM, spike),
        ]),
      ).metrics[0]
    expect(judge('keep')?.experiment).toMatchObject({ removed: 0 })
    expect(judge('remove')?.experiment).toMatchObject({ removed: 1 })
  })

  it('leaves muted metrics out and says so', () => {
    const result = judged(
      judgeKayenta(config([metric('errors', { mute: true }), metric('cpu')]), [
        pair('errors', CALM, WILD),
        pair('cpu', CALM, CALM),
      ]),
    )
    expect(result).toMatchObject({ score: 100, verdict: 'Pass', metrics: [{ name: 'cpu' }] })
    expect(result.notes.join()).toContain('"errors" is muted')
  })

  it('takes groups with names of object properties for what they are', () => {
    const { groups } = judged(
      judgeKayenta(config([metric('cpu', {}, ['constructor'])]), [pair('cpu', CALM, CALM)]),
    )
    expect(groups).toEqual([{ name: 'constructor', score: 100, weight: 100 }])
  })
})

describe('what is read', () => {
  it.each([
    ['a list of metric set pairs', [pair('cpu', CALM, CALM)]],
    ['a list with the points beside the name', [{ name: 'cpu', control: CALM, experiment: CALM }]],
    ['an object by name', { cpu: { control: CALM, experiment: CALM } }],
    ['either of them under "metrics"', { metrics: [pair('cpu', CALM, CALM)] }],
  ])('data: %s', (_, data) => {
    expect(judged(judgeKayenta(config([metric('cpu')]), data)).score).toBe(100)
  })

  it('the config inside the body of a stand-alone analysis', () => {
    const body = { canaryConfig: config([metric('cpu')]), executionRequest: { scopes: {} } }
    expect(judged(judgeKayenta(body, [pair('cpu', CALM, CALM)])).score).toBe(100)
  })

  it('null fields as absent ones, and says which thresholds it took', () => {
    const bare = {
      metrics: [{ name: 'cpu', groups: ['all'], analysisConfigurations: null }],
      classifier: null,
    }
    const result = judged(judgeKayenta(bare, [pair('cpu', CALM, CALM)]))
    expect(result.thresholds).toEqual({ pass: 95, marginal: 75 })
    expect(result.notes.join()).toContain('scoreThresholds')
  })

  it('a word for nanStrategy that Kayenta does not know as remove, with a note', () => {
    const given = config([metric('cpu', { nanStrategy: 'none' })])
    expect(judged(judgeKayenta(given, [pair('cpu', CALM, CALM)])).notes.join()).toContain('"none"')
  })
})

describe('what is refused', () => {
  const fine = config([metric('cpu')])
  const data = [pair('cpu', CALM, CALM)]

  it.each([
    ['no object', 7, 'a number'],
    ['null', null, 'null'],
    ['no metrics', { metrics: [] }, 'metrics'],
    ['a metric without a name', config([{ groups: [] }]), 'metrics.0.name'],
    [
      'an unknown direction',
      config([metric('cpu', { direction: 'up' })]),
      'metrics.0.analysisConfigurations.canary.direction',
    ],
    ['a critical flag that is a word', config([metric('cpu', { critical: 'yes' })]), 'canary.critical'],
    [
      'an unknown measure',
      config([metric('cpu', { effectSize: { measure: 'cohenD' } })]),
      'effectSize.measure',
    ],
    ['weights over 100', config([metric('cpu')], { groupWeights: { all: 70, more: 40 } }), '110'],
    [
      'a negative weight',
      config([metric('cpu')], { groupWeights: { all: -1 } }),
      'classifier.groupWeights.all',
    ],
    [
      'crossed thresholds',
      config([metric('cpu')], { scoreThresholds: { pass: 50, marginal: 75 } }),
      'marginal 75',
    ],
    ['two metrics of one name', config([metric('cpu'), metric('cpu')]), '"cpu"'],
  ])('config: %s', (_, given, said) => {
    const flaw = flawOf(judgeKayenta(given, data))
    expect(flaw?.code).toBe('KAYENTA_CONFIG_INVALID')
    expect(flaw?.message).toContain(said)
  })

  it.each([
    ['a text', 'cpu', 'a string'],
    ['an empty list', [], 'no metric'],
    ['an empty object', {}, 'no metric'],
    ['a side that is missing', [{ name: 'cpu', values: { control: CALM } }], 'values.experiment'],
    ['a point that is a word', [pair('cpu', CALM, ['many'])], 'values.experiment.0'],
    ['an object by name with a side that is no list', { cpu: { control: 1, experiment: [] } }, 'cpu.control'],
    ['more points than are compared', [pair('cpu', CALM, new Array(2001).fill(1))], '2000'],
  ])('data: %s', (_, given, said) => {
    const flaw = flawOf(judgeKayenta(fine, given))
    expect(flaw?.code).toBe('KAYENTA_DATA_INVALID')
    expect(flaw?.message).toContain(said)
  })

  it('data without a metric of the config, and with one that it does not know', () => {
    const missing = flawOf(judgeKayenta(fine, [pair('ram', CALM, CALM)]))
    expect(missing).toMatchObject({
      code: 'KAYENTA_METRIC_MISSING',
      message: expect.stringContaining('"cpu"'),
    })
    const unknown = flawOf(judgeKayenta(fine, [...data, pair('ram', CALM, CALM)]))
    expect(unknown).toMatchObject({
      code: 'KAYENTA_METRIC_UNKNOWN',
      message: expect.stringContaining('"ram"'),
    })
  })

  it('whatever else comes, with a problem and without a throw', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (config, given) => {
        expect(judgeKayenta(config, data).kind).toBe('failed')
        expect(judgeKayenta(fine, given).kind).toBe('failed')
      }),
      { seed: 3, numRuns: 300 },
    )
  })
})
