import { readFileSync } from 'node:fs'
import { request } from 'node:http'
import path from 'node:path'
import { expect, it } from 'vitest'
import * as z from 'zod'
import { readRuntime } from '../../src/cli/controller/runtime-file.ts'
import { METRIC_TABLE } from '../../src/telemetry/metric-table.ts'
import { eventsOf } from '../live/kit/journal.ts'
import { killHard } from '../live/kit/processes.ts'
import { getText, scrape } from '../live/kit/scrape.ts'
import { eventually } from '../live/kit/settle.ts'
import { quickHealth, STREAM, type Stack, startStack } from '../live/kit/stack.ts'
import { startTraffic } from '../live/kit/traffic.ts'

const stream = STREAM

it('the numbers of a controller are those of its journal, through a canary and a rollback', async () => {
  const stack = await startStack({
    versions: { '1.0.0': {}, '1.1.0': {}, '1.2.0': { errorShare: 1 } },
    stable: '1.0.0',
    file: { health: { ...quickHealth, checks: [{ name: 'itself', path: '/up', every: '1s' }] } },
  })
  const traffic = await startTraffic(stack, { ratePerSecond: 50 })
  expect((await stack.deploy('1.1.0')).outcome).toBe('promoted')
  const bad = await stack.begin('1.2.0')
  const during = await eventually('a rollout in the numbers', async () => {
    const numbers = await scrape(stack)
    return numbers.value('sluice_rollouts_in_progress', { stream }) === 1 ? numbers : null
  })
  expect(during.text).toMatch(
    /^sluice_rollout_step_seconds\{stream="thing\.local",step="\w+",waiting_on="\w+"\} /m,
  )
  expect(await stack.outcome(bad)).toBe('rolled_back')
  await traffic.stop()

  // Looks go on and write counts, so the journal is read until both tell the same moment.
  const { numbers, journal } = await eventually('numbers and journal of one moment', async () => {
    const numbers = await scrape(stack)
    const journal = stack.journal()
    return numbers.value('sluice_events_total') === journal.length ? { numbers, journal } : null
  })
  const kinds = Map.groupBy(journal, ({ event }) => event.kind)
  for (const [event, entries] of kinds)
    expect([event, numbers.value('sluice_events_total', { event })]).toEqual([event, entries.length])
  const outcomes = eventsOf(journal, 'outcome-reached')
  for (const outcome of ['promoted', 'rolled_back'] as const)
    expect(numbers.value('sluice_rollouts_total', { stream, outcome })).toBe(
      outcomes.filter((one) => one.outcome === outcome).length,
    )
  const returned = outcomes.flatMap(({ trafficOffMs }) =>
    trafficOffMs === null ? [] : [trafficOffMs / 1000],
  )
  expect(returned).toHaveLength(1)
  expect(numbers.value('sluice_rollback_duration_seconds_count')).toBe(1)
  expect(numbers.value('sluice_rollback_duration_seconds_sum')).toBeCloseTo(returned[0] ?? 0)
  expect(numbers.value('sluice_rollout_duration_seconds_count')).toBe(3)
  expect(numbers.value('sluice_step_duration_seconds_count')).toBe(
    eventsOf(journal, 'step-finished').filter(({ skipped }) => !skipped).length,
  )
  expect(numbers.value('sluice_leases_held')).toBe(1)
  expect(numbers.value('sluice_effects_total', { effect: 'start-set', result: 'ok' })).toBeGreaterThanOrEqual(
    3,
  )
  expect(
    numbers.value('sluice_provider_queries_total', { source: 'builtin', result: 'samples' }),
  ).toBeGreaterThan(0)
  for (const kind of ['wanted', 'observed'])
    expect(numbers.value('sluice_traffic_weight_ratio', { stream, kind, role: 'stable' })).toBe(1)
  expectAllButRare(numbers.names)
  expectDecisionsInLog(stack)
  await eventually('only stable is left', async () => (await stack.view()).sets.length === 1)
  await expectTheOthers(stack)
})

/** Without these something would have to go wrong first. */
const RARE = new Set([
  'sluice_rollout_step_seconds',
  'sluice_rollback_in_progress_seconds',
  'sluice_drift_total',
  'sluice_effect_retries_total',
  'sluice_store_failures_total',
  'sluice_notifications_total',
  'sluice_backup_age_seconds',
])

function expectAllButRare(names: ReadonlySet<string>): void {
  const silent = METRIC_TABLE.controller
    .filter(({ name, type }) => !RARE.has(name) && !names.has(type === 'histogram' ? `${name}_count` : name))
    .map(({ name }) => name)
  expect(silent).toEqual(['sluice_leases_lost_total'].filter((name) => !names.has(name)))
}

const LogLine = z.looseObject({
  time: z.iso.datetime(),
  level: z.enum(['debug', 'info', 'warn', 'error']),
  component: z.enum(['controller', 'proxy', 'agent']),
  msg: z.string(),
})

function linesOf(stack: Stack, log: string) {
  const lines = readFileSync(path.join(stack.state, log), 'utf8').trim().split('\n')
  return lines.map((line) => LogLine.parse(JSON.parse(line)))
}

function expectDecisionsInLog(stack: Stack): void {
  const decided = linesOf(stack, 'controller.log').filter(({ msg }) => msg === 'decided')
  const outcomes = eventsOf(stack.journal(), 'outcome-reached')
  expect(
    decided
      .filter(({ event }) => event === 'outcome-reached')
      .map(({ stream: of, outcome, code }) => ({ of, outcome, code })),
  ).toEqual(outcomes.map(({ outcome, reason }) => ({ of: STREAM, outcome, code: reason.code })))
  for (const { rollout, sequence } of decided)
    expect([typeof rollout, typeof sequence]).toEqual(['string', 'number'])
  expect(linesOf(stack, 'proxy.log').length).toBeGreaterThan(0)
  expect(linesOf(stack, 'agent/agent.log').length).toBeGreaterThan(0)
}

async function expectTheOthers(stack: Stack): Promise<void> {
  const proxy = await scrape(stack, '/metrics/proxy')
  const version = '1.1.0'
  expect(proxy.value('sluice_proxy_requests_total', { stream, version, status: '2xx' })).toBeGreaterThan(0)
  expect(proxy.value('sluice_proxy_request_duration_seconds_count', { stream, version })).toBe(
    proxy.value('sluice_proxy_requests_total', { stream, version }),
  )
  expect(proxy.value('sluice_proxy_weight_ratio', { stream, version })).toBe(1)
  expect(
    METRIC_TABLE.proxy.filter(
      ({ name, type }) => !proxy.names.has(type === 'histogram' ? `${name}_count` : name),
    ),
  ).toEqual([])
  const agent = await scrape(stack, '/metrics/agent')
  expect(agent.value('sluice_agent_instances', { stream, state: 'ready' })).toBe(2)
  expect(agent.value('sluice_named_check_failing', { stream, version, check: 'itself' })).toBe(0)
  expect(METRIC_TABLE.agent.filter(({ name }) => !agent.names.has(name))).toEqual([])
}

const Ready = z.object({ code: z.string().exactOptional(), checks: z.record(z.string(), z.string()) })

it('health tells which part is away, and a scraper with its own token reads the numbers', async () => {
  const stack = await startStack({ versions: { '1.0.0': {} }, stable: '1.0.0' })
  const socket = path.join(stack.state, 'controller.sock')
  const ready = async () => {
    const { status, text } = await getText(socket, '/readyz')
    return { status, ...Ready.parse(JSON.parse(text)) }
  }
  expect(
    await eventually('a ready controller', async () => ((await ready()).status === 200 ? ready() : null)),
  ).toMatchObject({
    checks: { store: 'ok', leases: 'ok', proxy: 'ok', agent: 'ok' },
  })
  for (const part of ['proxy', 'agent'])
    for (const url of ['/healthz', '/readyz'])
      expect((await getText(path.join(stack.state, `${part}.sock`), url)).status).toBe(200)

  const url = readRuntime(stack.state)?.controller?.url ?? ''
  const token = readFileSync(path.join(stack.state, 'scrape-token'), 'utf8').trim()
  expect(await statusOf(`${url}/metrics`, { authorization: `Bearer ${token}` })).toBe(200)
  expect(await statusOf(`${url}/metrics`, {})).toBe(401)
  expect(await statusOf(`${url}/healthz`, {})).toBe(200)

  const proxy = stack.pid('proxy')
  process.kill(proxy, 'SIGSTOP')
  try {
    await eventually('a controller that misses its proxy', async () => {
      const { status, code, checks } = await ready()
      return status === 503 && code === 'ROUTER_UNREACHABLE' && checks.proxy === code && checks.store === 'ok'
    })
    expect((await getText(socket, '/healthz')).status).toBe(200)
    expect((await scrape(stack)).value('sluice_part_up', { part: 'proxy' })).toBe(0)
  } finally {
    process.kill(proxy, 'SIGCONT')
  }
  await eventually('a ready controller', async () => (await ready()).status === 200)

  const crashed = stack.instances()[0] ?? 0
  killHard(crashed)
  await eventually('a crash in the numbers of the agent', async () => {
    const numbers = await scrape(stack, '/metrics/agent')
    return (
      numbers.value('sluice_agent_crashes_total', { stream }) === 1 &&
      numbers.value('sluice_agent_restarts_total', { stream }) === 1
    )
  })
})

function statusOf(url: string, headers: Record<string, string>): Promise<number> {
  return new Promise((resolve, reject) => {
    const call = request(url, { headers, agent: false }, (response) => {
      response.resume().on('end', () => resolve(response.statusCode ?? 0))
    })
    call.on('error', reject)
    call.end()
  })
}
