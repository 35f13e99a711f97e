import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { NotificationMessage, Notifier } from '../../ports/notifier.ts'

export type NotifierHarness = {
  notifier: Notifier
  /** What reached the receiver, in order of arrival; `fields` are all values of the message, wherever the format puts them. */
  arrived(): Promise<
    { key: string; fields: Omit<NotificationMessage, 'data'> & { data: Record<string, unknown> } }[]
  >
  /** Makes the receiver unwell, or well again. */
  breakReceiver(broken: boolean): Promise<void>
  dispose(): Promise<void>
}

/** What every `Notifier` must do. Run it on the real notifier and on its fake. */
export function notifierConformance(name: string, make: () => Promise<NotifierHarness>): void {
  describe(`notifier conformance: ${name}`, () => {
    let harness: NotifierHarness
    beforeEach(async () => {
      harness = await make()
    })
    afterEach(async () => harness.dispose())

    it('delivers every field of a message and its key', async () => {
      const message = messageOf('Ünïcode — 漢 😀 "quotes" \n and a second line')
      expect(await harness.notifier.send(message, 'rollout-1:promoted')).toEqual({
        kind: 'ok',
        value: undefined,
      })
      const [first, ...more] = await harness.arrived()
      expect(more).toEqual([])
      expect(first?.key).toBe('rollout-1:promoted')
      expect(first?.fields).toMatchObject(message)
    })

    it('sends the same key and the same content on a second attempt', async () => {
      const message = messageOf('Again.')
      await harness.notifier.send(message, 'k')
      await harness.notifier.send(message, 'k')
      const [first, second] = await harness.arrived()
      expect(second).toEqual(first)
    })

    it('delivers several messages at the same time', async () => {
      const keys = ['a', 'b', 'c', 'd', 'e']
      const results = await Promise.all(keys.map((key) => harness.notifier.send(messageOf(key), key)))
      expect(results.every(({ kind }) => kind === 'ok')).toBe(true)
      const arrived = await harness.arrived()
      expect(arrived.map(({ key, fields }) => `${key}=${fields.summary}`).sort()).toEqual(
        keys.map((key) => `${key}=${key}`),
      )
    })

    it('delivers a large message whole', async () => {
      const message = { ...messageOf('Large.'), data: { text: 'x'.repeat(300_000) } }
      expect(await harness.notifier.send(message, 'large')).toMatchObject({ kind: 'ok' })
      expect((await harness.arrived())[0]?.fields.data.text).toHaveLength(300_000)
    })

    it('answers with a retryable problem and a remedy when the receiver is unwell, and works again afterwards', async () => {
      await harness.breakReceiver(true)
      const result = await harness.notifier.send(messageOf('Lost?'), 'k')
      expect(result).toMatchObject({ kind: 'failed', problem: { retryable: true } })
      if (result.kind === 'failed') {
        expect(result.problem.code).toMatch(/^NOTIFY_/)
        expect(result.problem.remedy).not.toBe('')
      }
      await harness.breakReceiver(false)
      expect(await harness.notifier.send(messageOf('Lost?'), 'k')).toMatchObject({ kind: 'ok' })
    })
  })
}

function messageOf(summary: string): NotificationMessage {
  const data = { service: 'shop', weight: 25, nested: { list: [1, null, true] } }
  return { type: 'rollout.promoted', timestamp: '2026-01-02T03:04:05.000Z', severity: 'info', summary, data }
}
