import { describe, expect, it } from 'vitest'
import { ServiceCounts } from '../../core/shared/traffic-counts.ts'
import { LogCounts, type LogLine } from './log-counts.ts'

const lineOf = (of: Partial<LogLine> = {}): LogLine => ({
  service: 'shop',
  release: 'a',
  by: 'weight',
  status: 200,
  ms: 7,
  route: 'GET /cart',
  bytesIn: 0,
  bytesOut: 10,
  end: 'complete',
  isLong: false,
  isProbe: false,
  isClosed: false,
  retries: 0,
  connectFailures: 0,
  ...of,
})

function countsWith(...lines: Partial<LogLine>[]): LogCounts {
  const counts = new LogCounts({ router: 'nginx', now: () => 1 })
  counts.expect('shop', ['a', 'b'])
  for (const line of lines) counts.take(lineOf(line))
  return counts
}

function samplesOf(counts: LogCounts): ServiceCounts {
  const answer = counts.answer('shop')
  if (answer.kind !== 'samples') throw new Error(`expected samples, got ${answer.kind}`)
  return ServiceCounts.parse(answer.counts)
}

const totalOf = (...lines: Partial<LogLine>[]) => samplesOf(countsWith(...lines)).releases[0]?.total

describe('counts of log lines', () => {
  it('have the shape of the contract, by release and by route class', () => {
    const { releases, missing } = samplesOf(
      countsWith({}, { status: 503, route: 'GET /x' }, { release: 'b' }),
    )
    expect(releases.map(({ release, total }) => [release, total.requests, total.errors])).toEqual([
      ['a', 2, 1],
      ['b', 1, 0],
    ])
    expect(Object.keys(releases[0]?.routes ?? {})).toEqual(['GET /cart', 'GET /x'])
    expect(releases[0]?.total.bytesOut).toBe(20)
    expect(missing).toBe(0)
  })

  it.each<[string, Partial<LogLine>, object]>([
    ['an answer', {}, { requests: 1, errors: 0 }],
    [
      'a client that went away',
      { end: 'client-abort', status: 499 },
      { requests: 1, errors: 0, clientAborts: 1 },
    ],
    ['an answer that broke off', { end: 'reset' }, { requests: 1, errors: 1, resets: 1 }],
    ['an instance that closed', { end: 'reset', status: 502 }, { requests: 1, errors: 1, resets: 1 }],
    ['one that did not answer', { end: 'timeout', status: 504 }, { requests: 1, errors: 1, timeouts: 1 }],
    ['a drain that ended it', { end: 'cut', status: 499 }, { requests: 1, errors: 0, cutOnDrain: 1 }],
    ['a second attempt', { retries: 1, connectFailures: 1 }, { requests: 1, retries: 1, connectFailures: 1 }],
  ])('tell %s from the rest', (_, line, expected) => {
    expect(totalOf(line)).toMatchObject(expected)
  })

  it('time what ends, not WebSockets and event streams', () => {
    const total = totalOf({}, { isLong: true, ms: 90_000 }, { isLong: true, status: 101, ms: 90_000 })
    expect(total?.latencyBuckets.reduce((sum, count) => sum + count)).toBe(1)
    expect(total?.requests).toBe(3)
  })

  it('leave out probes, and count apart who is turned away by decision', () => {
    const away = { release: null, status: 503, isClosed: true }
    const counts = countsWith({ isProbe: true }, away, { ...away, isProbe: true })
    expect(samplesOf(counts)).toMatchObject({ releases: [], unroutable: 0, refused: 0, closed: 1 })
    expect(counts.takenOf('shop')).toBe(3)
  })

  it('count what a limit of the service turned away as refused, by the limit, and as no error', () => {
    const away = { release: null, end: 'complete' as const }
    const counts = countsWith(
      { ...away, status: 503, limited: 'requests' },
      { ...away, status: 429, limited: 'rate' },
      { ...away, status: 429, limited: 'rate' },
      { ...away, status: 413 },
      { service: 'other', limited: 'rate' },
    )
    expect(samplesOf(counts)).toMatchObject({ releases: [], unroutable: 0, refused: 4 })
    expect(counts.limitedOf('shop')).toEqual({ requests: 1, rate: 2 })
    counts.missed('shop', 100)
    expect(counts.answer('shop').kind).toBe('failure')
    expect(counts.limitedOf('shop'), 'what people are told never falls').toEqual({ requests: 1, rate: 2 })
  })

  it('keep rules and the preview apart', () => {
    const { releases, apart } = samplesOf(countsWith({ by: 'rule' }, { by: 'preview', release: 'b' }))
    expect(releases).toEqual([])
    expect(apart?.map(({ by, release, total }) => [by, release, total.requests])).toEqual([
      ['preview', 'b', 1],
      ['rule', 'a', 1],
    ])
  })

  it('tell what nobody could take from what nobody may send', () => {
    const nobody = { release: null, end: 'complete' } as const
    const counts = countsWith(
      { ...nobody, status: 503 },
      { ...nobody, status: 413 },
      { end: 'connect-failed', status: 502 },
    )
    expect(samplesOf(counts)).toMatchObject({ unroutable: 2, refused: 1 })
  })

  it('know nothing of a service that nobody told them about', () => {
    const counts = countsWith({ service: 'other' })
    expect(counts.answer('other').kind).toBe('no-data')
    counts.forget('shop')
    expect(counts.answer('shop').kind).toBe('no-data')
    expect(counts.taken).toBe(1)
  })

  it('are not changed by what is counted later', () => {
    const counts = countsWith({})
    const before = samplesOf(counts)
    counts.take(lineOf())
    expect(before.releases[0]?.total.requests).toBe(1)
  })
})

describe('lost log lines', () => {
  const many = Array.from({ length: 200 }, () => ({}))

  it('are told, and harm nothing while they are few', () => {
    const counts = countsWith(...many)
    counts.missed('shop', 2)
    expect(samplesOf(counts).missing).toBe(2)
  })

  it('make a window unknown when they are over 1%, and it stays out of all counters', () => {
    const counts = countsWith(...many)
    const { boot } = samplesOf(counts)
    for (const line of many) counts.take(lineOf(line))
    counts.missed('shop', 3)
    const answer = counts.answer('shop')
    expect(answer.kind === 'failure' && [answer.problem.code, answer.problem.retryable]).toEqual([
      'COUNTS_INCOMPLETE',
      true,
    ])
    counts.take(lineOf())
    const after = samplesOf(counts)
    expect(after.boot).not.toBe(boot)
    expect(after.releases[0]?.total.requests).toBe(1)
    expect(after.missing).toBe(3)
  })

  it('of all services are shared out by their requests, and never taken back', () => {
    const counts = countsWith(...many)
    counts.expect('idle', [])
    counts.missedByAll(2)
    counts.missed('shop', 1)
    expect(samplesOf(counts).missing).toBe(2)
    expect(counts.answer('idle').kind).toBe('samples')
  })
})
