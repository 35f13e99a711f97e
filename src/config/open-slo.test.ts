import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { loadConfig } from './load.ts'
import { isOnlyProblem, withLines } from './load-problems.test.fixture.ts'

/** As in the examples of the OpenSLO specification. */
const SLO = `apiVersion: openslo/v1
kind: SLO
metadata:
  name: shop-availability
  displayName: The shop answers
spec:
  description: Requests that do not fail
  service: shop
  indicator:
    metadata:
      name: answered
    spec:
      ratioMetric:
        counter: true
        good:
          metricSource:
            type: Prometheus
            spec:
              query: sum(http_request_duration_seconds_count{code!~"5.."})
        total:
          metricSource:
            type: Prometheus
            spec:
              query: sum(http_request_duration_seconds_count)
  timeWindow:
    - duration: 28d
      isRolling: true
  budgetingMethod: Occurrences
  objectives:
    - displayName: Good
      target: 0.995
`

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-slo-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const load = (...lines: string[]) =>
  loadConfig({ file: join(folder, 'sluice.yaml'), text: withLines(...lines) })
const sloOf = (loaded: ReturnType<typeof load>) =>
  loaded.kind === 'ok' ? loaded.value.services[0]?.analysis.slo : loaded.problem.map(({ message }) => message)
const save = (text: string): void => writeFileSync(join(folder, 'slo.yaml'), text)

describe('an objective in sluice.yaml', () => {
  it('is off unless it is stated', () => {
    expect(sloOf(load())).toBeNull()
    expect(sloOf(load('analysis: { slo: off }'))).toBeNull()
  })

  it('is about failures over 30 days, unless it says otherwise', () => {
    expect(sloOf(load('analysis: { slo: { target: 99.9% } }'))).toEqual({
      targetPercent: 99.9,
      windowMs: 30 * 86_400_000,
      slowerThanMs: null,
    })
    expect(sloOf(load('analysis: { slo: { target: 99%, window: 7d, slowerThan: 500ms } }'))).toEqual({
      targetPercent: 99,
      windowMs: 7 * 86_400_000,
      slowerThanMs: 500,
    })
  })

  it.each([
    ['target: 99', 'CONFIG_UNIT_MISSING', '8:18', 'is 99 without a unit', '99%'],
    ['target: 100%', 'CONFIG_OUT_OF_RANGE', '8:18', 'at most 99.9999%', '99.9999%'],
    ['target: 90%', 'CONFIG_CONFLICT', '8:18', '144%', 'higher target'],
    ['target: 99%, slowerThan: 123ms', 'CONFIG_LATENCY_BOUND', '8:35', 'not a bound', '100ms or 150ms'],
    ['target: 99%, window: 1h', 'CONFIG_OUT_OF_RANGE', '8:31', 'at least 7d', '7d'],
    ['window: 30d', 'CONFIG_MISSING_KEY', '8:3', 'analysis.slo.target is missing', 'Add it'],
    ['targt: 99%', 'CONFIG_UNKNOWN_KEY', '8:10', 'targt', 'target'],
  ])('with %s is refused', (objective, code, place, message, remedy) => {
    isOnlyProblem(code, withLines('analysis:', `  slo: { ${objective} }`), place, message, remedy)
  })

  it.each([
    ['~/slo.yaml', 'no path of an OpenSLO file'],
    ['https://slo.example.com/shop', 'no path of an OpenSLO file'],
  ])('is not read from %s', (path, message) => {
    isOnlyProblem('CONFIG_BAD_PATH', withLines('analysis:', `  slo: ${path}`), '8:8', message, './slo.yaml')
  })
})

describe('an OpenSLO file', () => {
  it('gives target and window', () => {
    save(SLO)
    expect(sloOf(load('analysis: { slo: ./slo.yaml }'))).toEqual({
      targetPercent: 99.5,
      windowMs: 28 * 86_400_000,
      slowerThanMs: null,
    })
    save(SLO.replace('target: 0.995', 'targetPercent: 99.5').replace('28d', '4w').replace(/^/, '---\n'))
    expect(sloOf(load('analysis: { slo: ./slo.yaml }'))).toMatchObject({
      targetPercent: 99.5,
      windowMs: 28 * 86_400_000,
    })
  })

  it('may be overruled in one environment', () => {
    save(SLO)
    const text = withLines(
      'analysis: { slo: ./slo.yaml }',
      'environments:',
      '  staging: { analysis: { slo: off } }',
    )
    const loaded = loadConfig({ file: join(folder, 'sluice.yaml'), text, environment: 'staging' })
    expect(loaded.kind === 'ok' ? loaded.value.services[0]?.analysis.slo : loaded).toBeNull()
  })

  it('of another environment may be missing here', () => {
    const text = withLines('environments:', '  production: { analysis: { slo: ./elsewhere.yaml } }')
    expect(loadConfig({ file: join(folder, 'sluice.yaml'), text }).kind).toBe('ok')
    const there = loadConfig({ file: join(folder, 'sluice.yaml'), text, environment: 'production' })
    expect(there.kind === 'failed' && there.problem[0]).toMatchObject({
      code: 'CONFIG_SLO_UNREADABLE',
      message: expect.stringContaining('sluice.yaml:8:34: analysis.slo ./elsewhere.yaml does not exist'),
    })
  })

  it.each([
    ['openslo/v1\n', 'openslo/v2alpha\n', '1:13', 'only openslo/v1'],
    ['kind: SLO', 'kind: SLI', '2:7', 'must be SLO'],
    ['isRolling: true', 'isRolling: false', '27:18', 'calendar'],
    ['28d', '1M', '26:17', 'between 7d and 92d'],
    ['28d', '1d', '26:17', 'between 7d and 92d'],
    ['Occurrences', 'Timeslices', '28:20', 'not slices of time'],
    ['target: 0.995', 'target: 99.5', '30:7', 'no target between 0 and 1'],
    ['target: 0.995', 'target: "0.995"', '30:7', 'no target between 0 and 1'],
    ['target: 0.995', 'target: 0.8', '31:15', 'budget would burn'],
    ['target: 0.995', 'op: lte\n      value: 1\n      target: 0.99', '30:7', 'with a threshold'],
    ['target: 0.995', 'target: 0.995\n    - target: 0.9', '30:5', '2 objectives'],
    ['ratioMetric', 'thresholdMetric', '14:9', 'with a threshold'],
    ['ratioMetric', 'other', '13:7', 'no ratioMetric'],
    ['code!~"5.."', 'le="0.5"', '14:9', 'slow requests'],
    ['  indicator:', '  indicatorRef: answered\n  other:', '9:17', 'stands elsewhere'],
    ['spec:\n  description', 'spec: text\nother:\n  description', '6:7', 'not of the shape'],
    ['kind: SLO', '---\nkind: SLO', '2:1', 'a second document'],
    ['kind: SLO', 'kind: [', '', 'no valid YAML'],
  ])('in which %s is %s is refused with its place', (from, to, place, message) => {
    save(SLO.replace(from, to))
    const loaded = load('analysis: { slo: ./slo.yaml }')
    const [problem] = loaded.kind === 'failed' ? loaded.problem : []
    expect(problem?.message).toContain(`./slo.yaml:${place}`)
    expect(problem?.message).toContain(message)
    expect(problem?.remedy.length).toBeGreaterThan(10)
  })

  it.each([
    ['a folder', () => mkdirSync(join(folder, 'slo.yaml')), 'is a folder'],
    ['missing', () => undefined, 'does not exist'],
    ['too large to be read', () => save('#'.repeat(2_000_000)), 'too large'],
    ['too large to be parsed', () => save('#'.repeat(70_000)), 'has 70000 bytes'],
    ['binary', () => save('a\0b'), 'is not UTF-8 text'],
  ])('that is %s is refused at the line that names it', (_name, make, message) => {
    make()
    const loaded = load('analysis: { slo: ./slo.yaml }')
    expect(loaded.kind === 'failed' && loaded.problem[0]).toMatchObject({
      code: 'CONFIG_SLO_UNREADABLE',
      message: expect.stringMatching(
        new RegExp(`sluice\\.yaml:7:18: analysis\\.slo \\./slo\\.yaml .*${message}`),
      ),
    })
  })
})
