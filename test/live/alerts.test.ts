import { readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, it } from 'vitest'
import { readRuntime } from '../../src/cli/controller/runtime-file.ts'
import { alertmanagerMissing, startAlertmanager } from '../../src/testkit/servers/alertmanager.test.kit.ts'
import { eventsOf } from './kit/journal.ts'
import { eventually } from './kit/settle.ts'
import { quickAnalysis, type Stack, startStack } from './kit/stack.ts'
import { startTraffic } from './kit/traffic.ts'

const VERSIONS = { '1.0.0': {}, '1.1.0': {} }
const ANALYSIS = { ...quickAnalysis, interval: '250ms', alerts: { critical: 'rollback', warning: 'pause' } }
const STRATEGY = { canary: { steps: [{ weight: '50%', pause: 'manual' }], watch: '1s', hold: '1s' } }

/** A stable version, and a candidate that waits at half of the traffic. */
async function withCandidate(): Promise<{
  stack: Stack
  rollout: string
  address: { url: string; token: string }
}> {
  const stack = await startStack({
    versions: VERSIONS,
    stable: '1.0.0',
    file: { analysis: ANALYSIS, strategy: STRATEGY },
  })
  await startTraffic(stack, { ratePerSecond: 30 })
  const rollout = await stack.begin('1.1.0')
  await stack.stage(rollout, 500)
  const token = readFileSync(path.join(stack.state, 'alert-token'), 'utf8').trim()
  return { stack, rollout, address: { url: addressOf(stack), token } }
}

/** A controller that was started again may have another port. */
const addressOf = ({ state }: Stack): string => `${readRuntime(state)?.controller?.url ?? ''}/alerts`

const labels = (severity: string) => ({
  alertname: 'QueueGrows',
  service: 'thing',
  environment: 'local',
  severity,
})

it.skipIf(alertmanagerMissing !== null)(
  'an alert of a real Alertmanager rolls back the canary that runs, and the history names it',
  async () => {
    const { stack, rollout, address } = await withCandidate()
    const alertmanager = await startAlertmanager(address)
    try {
      await alertmanager.tell([
        {
          labels: labels('critical'),
          annotations: { summary: 'the queue grows' },
          startsAt: new Date().toISOString(),
          generatorURL: 'http://prometheus.example/graph',
        },
      ])
      expect(await stack.outcome(rollout)).toBe('rolled_back')
    } finally {
      await alertmanager.dispose()
    }
    const [returned] = eventsOf(stack.journal(), 'return-started')
    expect(returned?.reason).toMatchObject({
      code: 'ALERT_CRITICAL',
      message: 'alert QueueGrows is firing (critical): the queue grows',
      evidence: { labels: labels('critical'), link: 'http://prometheus.example/graph' },
    })
    expect((await stack.cli('status')).out).toContain('QueueGrows')
  },
)

it('an alert pauses a canary once, also when the controller is killed and it is sent again', async () => {
  const { stack, address } = await withCandidate()
  const startsAt = new Date().toISOString()
  const send = async (status: string): Promise<unknown> => {
    const answer = await fetch(addressOf(stack), {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${address.token}` },
      body: JSON.stringify({ alerts: [{ status, labels: labels('warning'), startsAt, fingerprint: 'q1' }] }),
    })
    return answer.json()
  }
  expect(await send('firing')).toMatchObject({ taken: 1 })
  await eventually('a pause', async () => (await stack.view()).rollout?.state === 'paused')
  await stack.kill('controller')
  await stack.startController()
  expect(await send('firing')).toMatchObject({ taken: 0, known: 1 })
  expect(await send('resolved')).toMatchObject({ taken: 1 })
  expect((await stack.view()).rollout?.state).toBe('paused')
  expect((await stack.cli('resume')).code).toBe(0)
  expect(await send('firing')).toMatchObject({ taken: 0, known: 1 })
  await eventually('no pause', async () => (await stack.view()).rollout?.state !== 'paused')
  expect(eventsOf(stack.journal(), 'rollout-paused')).toHaveLength(1)
})
