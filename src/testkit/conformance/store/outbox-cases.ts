import { expect, it } from 'vitest'
import { LONGEST_RETRY_MS, type SettleMessage } from '../../../ports/store.ts'
import { append, type Context, claim, message, NOW, problemIn, valueIn } from './kit.ts'

const HOUR_MS = 3_600_000

type Outcome =
  | { kind: 'delivered'; at: number }
  | { kind: 'retry'; notBefore: number; error: string }
  | { kind: 'dead'; error: string }

export function outboxCases(context: Context): void {
  const settle = (key: string, outcome: Outcome) => {
    const of: SettleMessage = { channel: 'hook', key, ...outcome }
    return context.store.settleMessage(of)
  }
  const pending = async (now: number, limit = 10) => {
    await claim(context.store, 100, now)
    return valueIn(await context.store.pendingMessages(now, limit))
  }

  it('keeps messages with the events and ignores a repeated key of the same channel', async () => {
    const mail = { ...message('a'), channel: 'mail' }
    await append(context.store, { messages: [message('a'), message('a'), mail] })
    await append(context.store, { expectedRevision: 1, messages: [message('a')] })
    const found = await pending(NOW)
    expect(found.map(({ channel, key }) => `${channel}/${key}`).sort()).toEqual(['hook/a', 'mail/a'])
    const fresh = { stream: 'shop', state: 'pending', attempts: 0, notBefore: NOW, lastError: null }
    expect(found.find(({ channel }) => channel === 'hook')).toEqual({ ...message('a'), ...fresh })
  })

  it('holds back what is waiting, and what comes after it in the same stream and channel', async () => {
    const mail = { ...message('m'), channel: 'mail' }
    await append(context.store, { messages: [message('a'), message('b'), mail] })
    await append(context.store, { stream: 'api', messages: [message('c')] })
    valueIn(await settle('a', { kind: 'retry', notBefore: NOW + 50, error: 'X: no' }))
    const ready = async (now: number) => (await pending(now)).map(({ key }) => key)
    expect((await ready(NOW)).sort()).toEqual(['c', 'm'])
    const later = await ready(NOW + 50)
    expect(later.filter((key) => key === 'a' || key === 'b')).toEqual(['a', 'b'])
    const all = valueIn(await context.store.listMessages(10))
    const waiting = { attempts: 1, lastError: 'X: no', state: 'pending' }
    expect(all.find(({ key }) => key === 'a')).toMatchObject(waiting)
  })

  it('lets a message wait only after an attempt, and never longer than the longest retry, whatever a wrong clock wrote', async () => {
    await append(context.store, { messages: [message('a'), message('b')] })
    const keys = async (now: number) => (await pending(now)).map(({ key }) => key)
    expect(await keys(NOW)).toEqual(['a', 'b'])
    expect(await keys(NOW - HOUR_MS)).toEqual(['a', 'b'])
    valueIn(await settle('a', { kind: 'retry', notBefore: NOW + LONGEST_RETRY_MS, error: 'X: no' }))
    expect(await keys(NOW)).toEqual([])
    expect(await keys(NOW - 1)).toEqual(['a', 'b'])
  })

  it('shows messages of every channel even when one channel has a long queue', async () => {
    const queue = Array.from({ length: 20 }, (_, index) => message(`q${index}`))
    await append(context.store, { messages: [...queue, { ...message('m'), channel: 'mail' }] })
    const first = await pending(NOW, 4)
    expect(first.map(({ channel }) => channel)).toContain('mail')
    const hook = first.filter(({ channel }) => channel === 'hook').map(({ key }) => key)
    expect(hook).toEqual(['q0', 'q1', 'q2'])
  })

  it('shows delivered and dead messages newest first and never as pending', async () => {
    await append(context.store, { messages: [message('a'), message('b'), message('c')] })
    valueIn(await settle('a', { kind: 'delivered', at: NOW }))
    valueIn(await settle('b', { kind: 'dead', error: 'gone' }))
    expect((await pending(NOW)).map(({ key }) => key)).toEqual(['c'])
    const all = valueIn(await context.store.listMessages(10))
    expect(all.map(({ key, state }) => [key, state])).toEqual([
      ['c', 'pending'],
      ['b', 'dead'],
      ['a', 'delivered'],
    ])
  })

  it('lets a settled message stay as it is when it is settled again', async () => {
    await append(context.store, { messages: [message('a')] })
    valueIn(await settle('a', { kind: 'delivered', at: NOW }))
    valueIn(await settle('a', { kind: 'retry', notBefore: 0, error: 'late' }))
    const kept = { state: 'delivered', attempts: 1, lastError: null }
    expect(valueIn(await context.store.listMessages(1))).toMatchObject([kept])
  })

  it('keeps an error text that holds any character', async () => {
    await append(context.store, { messages: [message('a')] })
    valueIn(await settle('a', { kind: 'dead', error: 'a\u0000b ü' }))
    expect(valueIn(await context.store.listMessages(1))[0]?.lastError).toMatch(/^a.b ü$/u)
  })

  it('refuses to settle a message it never had', async () => {
    const problem = problemIn(await settle('zz', { kind: 'delivered', at: NOW }))
    expect(problem.code).toBe('STORE_UNKNOWN_MESSAGE')
  })
}
