import { spawnSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import * as z from 'zod'
import { findProgram } from '../../scripts/testbed/programs.ts'
import { COMMANDS } from '../../src/cli/command-list.ts'
import { METRIC_TABLE } from '../../src/telemetry/metric-table.ts'
import { textOf } from './sources.ts'

const RULES = 'monitoring/sluice.rules.yaml'
const RULE_TESTS = 'monitoring/sluice.rules-tests.yaml'
const DASHBOARD = 'monitoring/sluice.dashboard.json'

const Rule = z.strictObject({
  alert: z.string().regex(/^Sluice[A-Z]/),
  expr: z.string(),
  for: z.string().exactOptional(),
  labels: z.strictObject({ severity: z.enum(['page', 'ticket']) }),
  annotations: z.strictObject({ summary: z.string(), description: z.string() }),
})
const { groups } = z
  .strictObject({ groups: z.array(z.strictObject({ name: z.string(), rules: z.array(Rule) })) })
  .parse(parse(textOf(RULES)))
const rules = groups.flatMap(({ rules }) => rules)

const Panel = z.looseObject({
  title: z.string(),
  targets: z.array(z.looseObject({ expr: z.string() })).default([]),
})
const Dashboard = z.looseObject({
  panels: z.array(Panel),
  templating: z.looseObject({
    list: z.array(z.looseObject({ query: z.union([z.string(), z.looseObject({ query: z.string() })]) })),
  }),
})
const dashboard = Dashboard.parse(JSON.parse(textOf(DASHBOARD)))
const panelExpressions = dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr))

const rows = Object.values(METRIC_TABLE).flatMap((table) => [...table])
const SCRAPED_LABELS = ['instance', 'job', 'le', 'alertname']

/** The series of a metric as expressions name them, with their labels. */
const series = new Map<string, readonly string[]>(
  rows.flatMap(({ name, type, labels }) =>
    (type === 'histogram' ? ['_bucket', '_sum', '_count'] : ['']).map(
      (ending) => [`${name}${ending}`, [...labels, ...SCRAPED_LABELS]] as const,
    ),
  ),
)

/** Every metric with a selector or without one. Words of the language and lists of labels do not begin like our names. */
function namedIn(expression: string): { name: string; labels: string[] }[] {
  return [...expression.matchAll(/\b((?:sluice|process|nodejs)_[a-z_]+)(?:\{([^}]*)\})?/g)].map(
    ([, name = '', selector = '']) => ({
      name,
      labels: [...selector.matchAll(/([a-z_]+)\s*(?:=~|!~|!=|=)/g)].map(([, label = '']) => label),
    }),
  )
}

const groupedBy = (expression: string): string[] =>
  [...expression.matchAll(/\b(?:by|without|on|ignoring)\s*\(([^)]*)\)/g)].flatMap(([, list = '']) =>
    list.split(',').map((label) => label.trim()),
  )

function wrongIn(expression: string): string[] {
  const named = namedIn(expression)
  if (named.length === 0) return [`names no metric: ${expression}`]
  const labels = named.flatMap(({ name }) => series.get(name) ?? [])
  return [
    ...named.flatMap(({ name, labels: used }) => {
      const known = series.get(name)
      if (known === undefined) return [`no such metric: ${name}`]
      return used.filter((label) => !known.includes(label)).map((label) => `${name} has no label ${label}`)
    }),
    ...groupedBy(expression).flatMap((label) =>
      labels.includes(label) ? [] : [`nothing has the label ${label}`],
    ),
  ]
}

describe('alert rules', () => {
  it('use only metrics and labels that are exported', () => {
    expect(rules.length).toBeGreaterThanOrEqual(20)
    expect(rules.flatMap(({ alert, expr }) => wrongIn(expr).map((wrong) => `${alert}: ${wrong}`))).toEqual([])
    expect(wrongIn('rate(sluice_nothing_total{release="a"}[5m])')).toEqual([
      'no such metric: sluice_nothing_total',
    ])
    expect(wrongIn('sum by (release) (sluice_leases_held{route="a"})')).toHaveLength(2)
  })

  it('speak of labels that their metrics have, and of commands that exist', () => {
    const commands = new Set(COMMANDS.map(({ name }) => name))
    for (const { alert, expr, annotations } of rules) {
      const text = `${annotations.summary} ${annotations.description}`
      const labels = namedIn(expr).flatMap(({ name }) => series.get(name) ?? [])
      for (const [, label = ''] of text.matchAll(/\$labels\.([a-z_]+)/g))
        expect(labels, alert).toContain(label)
      for (const [, command = ''] of text.matchAll(/"sluice ([a-z]+)/g))
        expect(commands, alert).toContain(command)
    }
  })

  it('are all tested, firing and quiet', () => {
    const tests = textOf(RULE_TESTS)
    for (const { alert } of rules) {
      expect(tests, `${alert} fires`).toContain(`{alertname="${alert}"}`)
      expect(tests, `${alert} is quiet`).toMatch(new RegExp(`alertname: ${alert}, exp_alerts: \\[\\]`))
    }
  })

  it.skipIf(findProgram('promtool') === null)('pass their tests in Prometheus', { timeout: 60_000 }, () => {
    const promtool = findProgram('promtool') ?? ''
    for (const words of [
      ['check', 'rules', RULES],
      ['test', 'rules', RULE_TESTS],
    ]) {
      const { status, stdout, stderr } = spawnSync(promtool, words, { encoding: 'utf8' })
      expect([status, stdout + stderr]).toEqual([0, expect.stringContaining('SUCCESS')])
    }
  })
})

describe('the dashboard', () => {
  it('uses only metrics and labels that are exported', () => {
    expect(panelExpressions.length).toBeGreaterThanOrEqual(20)
    const queries = dashboard.templating.list.flatMap(({ query }) =>
      typeof query === 'string' ? [] : [query.query],
    )
    expect(queries).toHaveLength(1)
    expect([...panelExpressions, ...queries].flatMap(wrongIn)).toEqual([])
  })

  it('shows every panel once', () => {
    const titles = dashboard.panels.map(({ title }) => title)
    expect(new Set(titles).size).toBe(titles.length)
  })
})
