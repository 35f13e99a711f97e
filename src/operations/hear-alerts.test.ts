import { describe, expect, it } from 'vitest'
import type { Command } from '../core/rollout/command.ts'
import { newServiceState, type ServiceState } from '../core/rollout/state.ts'
import type { Alert } from '../core/shared/alert.ts'
import { problem } from '../core/shared/problem.ts'
import { failed, ok, type Result } from '../core/shared/result.ts'
import { NEW, withCandidateAt } from '../testkit/simulator/scene.ts'
import { hearAlerts } from './hear-alerts.ts'

const rolling = withCandidateAt(50).state()
const NOW = rolling.rollout?.startedAt ?? 0

const alertWith = (labels: Record<string, string>, change: Partial<Alert> = {}): Alert => ({
  fingerprint: 'f1',
  name: 'HighErrorRate',
  status: 'firing',
  labels: { severity: 'critical', ...labels },
  summary: '',
  link: null,
  startsAt: NOW + 1000,
  ...change,
})

/** Services by stream; every command is written down. */
function context(states: Record<string, ServiceState>, answer?: Result<never>) {
  const handled: { stream: string; command: Command }[] = []
  const loaded = (stream: string) => ({
    state: states[stream] ?? newServiceState(stream),
    revision: 1,
    events: [],
  })
  return {
    handled,
    store: { streams: async () => ok(Object.keys(states)) },
    engine: {
      load: async (stream: string) => ok(loaded(stream)),
      handle: async (stream: string, command: Command) => {
        handled.push({ stream, command })
        return answer ?? ok(loaded(stream))
      },
    },
  }
}
type Context = Parameters<typeof hearAlerts>[0]
const hearing = (of: ReturnType<typeof context>, alerts: Alert[]) =>
  // Only what is asked of store and engine is there.
  hearAlerts(of as unknown as Context, alerts, NOW + 2000)
const alertsOf = (command: Command | undefined): readonly Alert[] =>
  command?.kind === 'hear-alerts' ? command.alerts : []

describe('alerts', () => {
  it('go to the service they name, in the environment they name, or in all of them', async () => {
    const idle = newServiceState('shop.staging')
    const of = context({
      'shop.local': rolling,
      'shop.staging': idle,
      'pay.local': newServiceState('pay.local'),
    })
    expect(await hearing(of, [alertWith({ service: 'shop', environment: 'local' })])).toEqual(
      ok({ taken: 1, known: 0, ignored: [] }),
    )
    expect(await hearing(of, [alertWith({ service: 'shop' })])).toEqual(
      ok({
        taken: 1,
        known: 0,
        ignored: [{ name: 'HighErrorRate', why: 'no rollout of shop.staging is in progress' }],
      }),
    )
    expect(of.handled.map(({ stream }) => stream)).toEqual(['shop.local', 'shop.local'])
  })

  it('that name nobody here are ignored with the reason, and nothing is written', async () => {
    const of = context({ 'shop.local': rolling })
    const alerts = [
      alertWith({}),
      alertWith({ service: 'sho' }),
      alertWith({ service: 'shop', environment: 'moon' }),
    ]
    const receipt = await hearing(of, [...alerts, alertWith({ service: 'shop', version: '9.9.9' })])
    expect(receipt.kind === 'ok' && receipt.value.ignored.map(({ why }) => why)).toEqual([
      'it has no label service',
      'no service sho is known here',
      'no service shop in moon is known here',
      `it is about version 9.9.9, not about ${NEW}`,
    ])
    expect(of.handled).toEqual([])
  })

  it('by the thousand are cut to a limit, and those that may act go first', async () => {
    const of = context({ 'shop.local': rolling })
    const storm = Array.from({ length: 2000 }, (_, index) =>
      alertWith({ service: 'shop', severity: 'info' }, { fingerprint: `n${index}` }),
    )
    const receipt = await hearing(of, [...storm, alertWith({ service: 'shop' })])
    expect(receipt).toMatchObject({ value: { taken: 50 } })
    expect(receipt.kind === 'ok' && receipt.value.ignored).toHaveLength(1951)
    expect(alertsOf(of.handled[0]?.command)[0]?.labels.severity).toBe('critical')
  })

  it('that could not be kept are a failure, so that they are sent again', async () => {
    const busy = problem('STORE_BUSY', { message: 'Busy.', remedy: 'Wait.' })
    const of = context({ 'shop.local': rolling }, failed(busy))
    expect(await hearing(of, [alertWith({ service: 'shop' })])).toEqual(failed(busy))
  })

  it('that are none cost nothing', async () => {
    expect(await hearing(context({}), [])).toEqual(ok({ taken: 0, known: 0, ignored: [] }))
  })
})
