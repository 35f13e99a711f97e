import { describe, expect, it } from 'vitest'
import { expose } from './exposition.ts'
import { LABELS } from './metric-definition.ts'
import { type Component, METRIC_TABLE } from './metric-table.ts'
import { distribution, sample } from './sample.ts'

const COMPONENTS: Component[] = ['controller', 'proxy', 'agent']
const OPEN_METRICS = 'application/openmetrics-text; version=1.0.0; charset=utf-8'

/** Names and types as a scraper reads them. */
const typesIn = (text: string): Record<string, string> =>
  Object.fromEntries([...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => [name, type]))

describe('the exposition', () => {
  it.each(COMPONENTS)(
    'of the %s names every metric of the table with its type, and no other',
    async (component) => {
      const { text, contentType } = await expose(component, [], '')
      expect(contentType).toBe('text/plain; version=0.0.4; charset=utf-8')
      expect(typesIn(text)).toEqual(
        Object.fromEntries(METRIC_TABLE[component].map(({ name, type }) => [name, type])),
      )
    },
  )

  it('is OpenMetrics for who asks for it: counters are named without their ending, and the end is marked', async () => {
    const samples = [sample('sluice_rollouts_total', { stream: 'shop.local', outcome: 'promoted' }, 2)]
    const { text, contentType } = await expose('controller', samples, `${OPEN_METRICS},text/plain;q=0.5`)
    expect(contentType).toBe(OPEN_METRICS)
    expect(text).toContain('# TYPE sluice_rollouts counter\n')
    expect(text).toContain('sluice_rollouts_total{stream="shop.local",outcome="promoted"} 2\n')
    expect(text.endsWith('# EOF\n')).toBe(true)
  })

  it('says the same in both formats, however often it is asked', async () => {
    const samples = [sample('sluice_leases_taken_total', {}, 3)]
    const texts = await Promise.all(
      ['', OPEN_METRICS, ''].map(async (accept) => (await expose('controller', samples, accept)).text),
    )
    expect(texts.map((text) => text.includes('\nsluice_leases_taken_total 3\n'))).toEqual([true, true, true])
    expect(texts[2]).toBe(texts[0])
  })

  it('adds the buckets of a histogram up', async () => {
    const { text } = await expose(
      'controller',
      [
        distribution(
          'sluice_step_duration_seconds',
          { step: 'watch' },
          { buckets: [2, 0, 1, ...zeros(11), 4], sum: 9.5 },
        ),
      ],
      '',
    )
    const bucket = (le: string) => new RegExp(`_bucket\\{step="watch",le="${le}"\\} (\\d+)`).exec(text)?.[1]
    expect([bucket('1'), bucket('5'), bucket('10'), bucket('259200'), bucket('\\+Inf')]).toEqual([
      '2',
      '2',
      '3',
      '3',
      '7',
    ])
    expect(text).toContain('sluice_step_duration_seconds_sum{step="watch"} 9.5\n')
    expect(text).toContain('sluice_step_duration_seconds_count{step="watch"} 7\n')
  })

  it('begins counters and histograms without labels at zero, and shows no gauge that nobody knows', async () => {
    const { text } = await expose('controller', [], '')
    expect(text).toContain('\nsluice_leases_lost_total 0\n')
    expect(text).toContain('\nsluice_rollback_duration_seconds_count 0\n')
    expect(text).not.toMatch(/^sluice_(queue_length|step_duration_seconds_count)/m)
  })

  it('escapes what a label holds', async () => {
    const { text } = await expose(
      'controller',
      [sample('sluice_freeze_active', { stream: 'a"b\\c\nd' }, 1)],
      '',
    )
    expect(text).toContain('sluice_freeze_active{stream="a\\"b\\\\c\\nd"} 1\n')
  })
})

describe('the table', () => {
  const rows = COMPONENTS.flatMap((component) => [...METRIC_TABLE[component]])

  it('follows the conventions of names', () => {
    for (const { name, type, help } of rows) {
      expect(name).toMatch(/^(sluice|process|nodejs)_[a-z_]+$/)
      expect(name.endsWith('_total'), name).toBe(type === 'counter')
      if (type === 'histogram') expect(name).toMatch(/_seconds$/)
      expect(help, name).toMatch(/[^.]$/)
    }
  })

  it('has labels with bounded values only, each described', () => {
    const used = new Set<string>(rows.flatMap(({ labels }) => [...labels]))
    expect([...used].sort()).toEqual(Object.keys(LABELS).sort())
    for (const unbounded of ['release', 'rollout', 'route', 'instance'])
      expect([...used]).not.toContain(unbounded)
  })
})

const zeros = (length: number): number[] => new Array<number>(length).fill(0)
