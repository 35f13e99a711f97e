import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { MetricDefinition, MetricKind } from '../../core/shared/metric-definition.ts'
import type { MetricSubject, MetricWindow } from '../../core/shared/metric-subject.ts'
import type { MetricProvider, MetricReading } from '../../ports/metric.ts'

/** A case that a provider cannot have, with the reason that the report shows. */
export type Skip = { skip: string }
type Or<T> = T | Skip

/** Numbers of one version, put into the source. */
export type Put =
  | { kind: 'ratio'; bad: number; total: number }
  | { kind: 'rate'; events: number; exposure: number }
  /** One count for each of `KIT_BOUNDS` and one above. */
  | { kind: 'histogram'; counts: number[] }
  | { kind: 'value'; value: number }

/** What the world around a provider can do wrong. */
export const TROUBLES = {
  unreachable: {
    codes: ['METRIC_NOT_REACHED', 'METRIC_COMMAND_FAILED', 'COUNTS_UNREADABLE'],
    retryable: true,
  },
  timeout: { codes: ['METRIC_TIMEOUT'], retryable: true },
  unauthorized: { codes: ['METRIC_UNAUTHORIZED'], retryable: true },
  rateLimited: { codes: ['METRIC_RATE_LIMITED'], retryable: true },
  tooLarge: { codes: ['METRIC_ANSWER_TOO_LARGE'], retryable: false },
  redirected: { codes: ['METRIC_REDIRECTED'], retryable: false },
  severalSeries: { codes: ['METRIC_SEVERAL_SERIES'], retryable: false },
  refused: { codes: ['METRIC_QUERY_REFUSED'], retryable: false },
  unreadable: { codes: ['METRIC_ANSWER_UNREADABLE'], retryable: true },
  missingSecret: { codes: ['SECRET_MISSING'], retryable: true },
  nan: { codes: ['METRIC_VALUE_IMPOSSIBLE'], retryable: true },
  infinity: { codes: ['METRIC_VALUE_IMPOSSIBLE'], retryable: true },
  negative: { codes: ['METRIC_VALUE_IMPOSSIBLE'], retryable: true },
} as const
export type Trouble = keyof typeof TROUBLES

/** In the unit of the source. */
export const KIT_BOUNDS = [0.1, 0.5, 1]
/** What `Retry-After` says in the case of 429. */
export const KIT_RETRY_AFTER_S = 17

/** A provider with its source, as the kit needs them. Made once; every case uses versions of its own. */
export type MetricProviderSetup = {
  provider: MetricProvider
  subject: Pick<MetricSubject, 'service' | 'environment'>
  /** The metric of this kind that reads what `put` puts. */
  metric: Record<MetricKind, Or<MetricDefinition>>
  /** The source now has these numbers of the version; gives a window that holds them all. */
  put(version: string, numbers: Put): Promise<MetricWindow>
  /** The same at one moment, for the edges of windows. */
  putAt: Or<(version: string, atMs: number, numbers: Extract<Put, { kind: 'ratio' }>) => Promise<void>>
  /** Some sources extrapolate: counts may be off by this share. */
  inexact?: number
  /** The counters of the source begin from zero again; gives a window around that and how many were bad at least. */
  reset: Or<(version: string) => Promise<{ window: MetricWindow; atLeast: number }>>
  trouble: Record<Trouble, Or<() => Promise<MetricDefinition> | MetricDefinition>>
  /** Values that no answer may show. */
  secrets: readonly string[]
  dispose(): Promise<void>
}

/** The promises of the port, for every provider. */
export function metricProviderConformance(
  name: string,
  makeSetup: () => Promise<MetricProviderSetup>,
  about: { skip: string | null } = { skip: null },
): void {
  describe.skipIf(about.skip !== null)(
    `${name} as a metric provider${about.skip === null ? '' : `: skipped, ${about.skip}`}`,
    () => {
      let setup: MetricProviderSetup
      const seen: MetricReading[] = []
      beforeAll(async () => {
        setup = await makeSetup()
      })
      afterAll(() => setup?.dispose())

      const ask = async (
        metric: MetricDefinition,
        version: string,
        window: MetricWindow,
        signal?: AbortSignal,
      ) => {
        const subject = { ...setup.subject, version, release: null }
        const reading = await setup.provider.sample({ metric, subject, window }, signal)
        seen.push(reading)
        return reading
      }
      const recently = (): MetricWindow => ({ fromMs: Date.now() - 60_000, toMs: Date.now() })
      const needed = <T>(of: Or<T>, skip: (reason: string) => never): T =>
        typeof of === 'object' && of !== null && 'skip' in of ? skip(of.skip) : of

      const CASES: readonly [string, Put][] = [
        ['a ratio', { kind: 'ratio', bad: 3, total: 120 }],
        ['a ratio without anything bad', { kind: 'ratio', bad: 0, total: 50 }],
        [
          'a window in which nothing happened, which is zero and not nothing',
          { kind: 'ratio', bad: 0, total: 0 },
        ],
        ['a rate', { kind: 'rate', events: 4, exposure: 200 }],
        ['a histogram', { kind: 'histogram', counts: [40, 30, 20, 10] }],
        ['a value', { kind: 'value', value: 12.5 }],
        ['a value below zero', { kind: 'value', value: -2.25 }],
      ]
      it.for(CASES)('reads %s', async ([title, numbers], { skip }) => {
        const metric = needed(setup.metric[numbers.kind], skip)
        const version = versionOf(title)
        const reading = await ask(metric, version, await setup.put(version, numbers))
        expect(reading, JSON.stringify(reading)).toMatchObject({ kind: 'sample' })
        if (reading.kind !== 'sample') return
        const { sample } = reading
        const bounds = metric.measure.kind === 'histogram' ? { bounds: metric.measure.bounds } : {}
        expectNear(sample, { ...numbers, ...bounds }, setup.inexact)
        expect(reading.asked.join('')).not.toBe('')
      })

      it('answers with no data for a version that the source knows nothing of, never with zero', async ({
        skip,
      }) => {
        for (const kind of ['ratio', 'rate', 'histogram', 'value'] as const) {
          const metric = setup.metric[kind]
          if ('skip' in metric) continue
          const reading = await ask(metric, '0.0.0-nobody', recently())
          expect(reading, `${kind}: ${JSON.stringify(reading)}`).toMatchObject({
            kind: 'no-data',
            reason: expect.stringMatching(/\S.*\.$/),
          })
        }
        needed(setup.metric.ratio, skip)
      })

      it('keeps versions apart', async ({ skip }) => {
        const metric = needed(setup.metric.ratio, skip)
        const windows = [
          await setup.put('apart-1', { kind: 'ratio', bad: 1, total: 40 }),
          await setup.put('apart-2', { kind: 'ratio', bad: 20, total: 80 }),
        ]
        const window = {
          fromMs: Math.min(...windows.map((one) => one.fromMs)),
          toMs: Math.max(...windows.map((one) => one.toMs)),
        }
        const [one, two] = [await ask(metric, 'apart-1', window), await ask(metric, 'apart-2', window)]
        const sampleOf = (reading: MetricReading) => (reading.kind === 'sample' ? reading.sample : reading)
        expectNear(sampleOf(one), { kind: 'ratio', bad: 1, total: 40 }, setup.inexact)
        expectNear(sampleOf(two), { kind: 'ratio', bad: 20, total: 80 }, setup.inexact)
      })

      it('counts what is at the beginning of a window and leaves out what is at its end', async ({
        skip,
      }) => {
        const metric = needed(setup.metric.ratio, skip)
        const putAt = needed(setup.putAt, skip)
        const at = Math.floor(Date.now() / 1000) * 1000 - 30_000
        await putAt('edge', at, { kind: 'ratio', bad: 1, total: 2 })
        await putAt('edge', at + 1500, { kind: 'ratio', bad: 3, total: 5 })
        const counts = async (window: MetricWindow) => {
          const reading = await ask(metric, 'edge', window)
          return reading.kind === 'sample' && reading.sample.kind === 'ratio'
            ? reading.sample.total
            : reading.kind
        }
        expect(await counts({ fromMs: at, toMs: at + 1500 })).toBe(2)
        expect(await counts({ fromMs: at, toMs: at + 1501 })).toBe(7)
        expect(await counts({ fromMs: at + 1, toMs: at + 1501 })).toBe(5)
        expect(await counts({ fromMs: at + 1500, toMs: at + 10_000 })).toBe(5)
      })

      it('does not take counters that begin anew for a negative count', async ({ skip }) => {
        const metric = needed(setup.metric.ratio, skip)
        const reset = needed(setup.reset, skip)
        const { window, atLeast } = await reset('reset')
        const reading = await ask(metric, 'reset', window)
        if (reading.kind === 'no-data') return
        expect(reading, JSON.stringify(reading)).toMatchObject({ kind: 'sample' })
        if (reading.kind === 'sample' && reading.sample.kind === 'ratio') {
          expect(reading.sample.bad).toBeGreaterThanOrEqual(atLeast)
          expect(reading.sample.total).toBeGreaterThanOrEqual(reading.sample.bad)
        }
      })

      it.for(namesOf(TROUBLES))(
        'answers with a failure that says what to do: %s',
        async (trouble, { skip }) => {
          const metric = await needed(setup.trouble[trouble], skip)()
          const began = performance.now()
          const reading = await ask(metric, 'trouble', recently())
          expect(reading.kind, JSON.stringify(reading)).toBe('failure')
          if (reading.kind !== 'failure') return
          const { codes, retryable }: { codes: readonly string[]; retryable: boolean } = TROUBLES[trouble]
          expect(codes, JSON.stringify(reading)).toContain(reading.problem.code)
          expect(reading.problem.retryable).toBe(retryable)
          expect(reading.problem.remedy).toMatch(/\.$/)
          expect(performance.now() - began).toBeLessThan(metric.timeoutMs + PATIENCE_MS)
          if (trouble === 'rateLimited') expect(reading.retryAfterMs).toBe(KIT_RETRY_AFTER_S * 1000)
        },
      )

      it.for(['nan', 'infinity', 'negative'] as const)(
        'can take what cannot be a count for no data: %s',
        async (trouble, { skip }) => {
          const metric = await needed(setup.trouble[trouble], skip)()
          const reading = await ask({ ...metric, badValues: 'no-data' }, 'trouble', recently())
          expect(reading, JSON.stringify(reading)).toMatchObject({ kind: 'no-data' })
        },
      )

      it('ends early when nobody waits any more', async ({ skip }) => {
        const metric = await needed(setup.trouble.timeout, skip)()
        const began = performance.now()
        const reading = await ask(
          { ...metric, timeoutMs: 60_000 },
          'trouble',
          recently(),
          AbortSignal.timeout(100),
        )
        expect(reading).toMatchObject({ kind: 'failure', problem: { code: 'METRIC_CANCELLED' } })
        expect(performance.now() - began).toBeLessThan(PATIENCE_MS)
      })

      it('never shows a secret, whatever it answered', ({ skip }) => {
        if (setup.secrets.length === 0) skip('this provider has no secrets')
        const text = JSON.stringify(seen)
        expect(seen.length).toBeGreaterThan(8)
        for (const secret of setup.secrets) expect(text).not.toContain(secret)
      })
    },
  )
}

/** A slow machine starts programs slowly. */
const PATIENCE_MS = 10_000

const versionOf = (title: string): string => `1.0.0-${title.replace(/[^a-z]+/g, '-')}`.slice(0, 60)

const namesOf = <K extends string>(of: Record<K, unknown>): K[] =>
  Object.keys(of).filter((name): name is K => name in of)

/** The same numbers; each one only near where the source extrapolates. */
function expectNear(found: object, wanted: object, inexact: number | undefined): void {
  if (inexact === undefined) {
    expect(found).toEqual(wanted)
    return
  }
  expect(numbersIn(found)).toHaveLength(numbersIn(wanted).length)
  for (const [index, number] of numbersIn(wanted).entries()) {
    const off = Math.abs((numbersIn(found)[index] ?? Number.NaN) - number)
    expect(off, JSON.stringify({ found, wanted })).toBeLessThanOrEqual(Math.abs(number) * inexact)
  }
}

/** By name, so that the order of the keys does not matter. */
const numbersIn = (of: object): number[] =>
  Object.entries(of)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([, value]: [string, unknown]) => value)
    .filter((value) => typeof value === 'number')
