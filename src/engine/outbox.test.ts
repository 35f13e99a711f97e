import { describe, expect, it, vi } from 'vitest'
import type { Notifier, NotifyFailure } from '../ports/notifier.ts'
import type { Store } from '../ports/store.ts'
import { createNotifierFake } from '../testkit/fakes/notifier.ts'
import { createStoreFake } from '../testkit/fakes/store.ts'
import { createOutbox } from './outbox.ts'
import { retryDelaysMs } from './outbox-schedule.ts'

const signal = new AbortController().signal

describe('the outbox', () => {
  it('delivers what is pending and does not deliver it again', async () => {
    const { outbox, hook, put, store } = await world()
    await put('shop', ['a', 'b'])
    expect(await outbox.runOnce(signal)).toBe(2)
    expect(await outbox.runOnce(signal)).toBe(0)
    expect(hook.arrived.map(({ key }) => key)).toEqual(['a', 'b'])
    expect(await store.listMessages(10)).toMatchObject({
      value: [{ state: 'delivered' }, { state: 'delivered' }],
    })
  })

  it('sends the same key again after a crash between sending and noting it, so that it counts once (S73)', async () => {
    const { outbox, restarted, hook, faults, put } = await world()
    await put('shop', ['a', 'b'])
    faults.failSettlements(1)
    expect(await outbox.runOnce(signal)).toBe(0)
    expect(await restarted().runOnce(signal)).toBe(2)
    expect(hook.arrived.map(({ key }) => key)).toEqual(['a', 'a', 'b'])
    expect(hook.arrived[1]).toEqual(hook.arrived[0])
    expect(hook.effective()).toEqual(['a', 'b'])
  })

  it('does not send again what was delivered when only the note of it failed', async () => {
    const { outbox, hook, faults, put, store } = await world()
    await put('shop', ['a', 'b'])
    faults.failSettlements(1)
    expect(await outbox.runOnce(signal)).toBe(0)
    expect(await outbox.runOnce(signal)).toBe(2)
    expect(hook.arrived.map(({ key }) => key)).toEqual(['a', 'b'])
    expect(await store.listMessages(10)).toMatchObject({
      value: [{ state: 'delivered' }, { state: 'delivered' }],
    })
  })

  it('keeps the order of a stream while its first message waits, and lets other streams pass', async () => {
    const { outbox, hook, clock, put } = await world()
    await put('shop', ['a', 'b'])
    hook.fail(1)
    await outbox.runOnce(signal)
    await put('api', ['c'])
    await outbox.runOnce(signal)
    expect(hook.arrived.map(({ key }) => key)).toEqual(['c'])
    clock.time += 6_000
    await outbox.runOnce(signal)
    expect(hook.arrived.map(({ key }) => key)).toEqual(['c', 'a', 'b'])
  })

  it('gives up after about three days, keeps the message as dead with the reason, and goes on with the next', async () => {
    const { outbox, hook, clock, put, store } = await world()
    await put('shop', ['a', 'b'])
    hook.fail(retryDelaysMs.length + 1)
    for (const delay of retryDelaysMs) {
      await outbox.runOnce(signal)
      clock.time += delay * 1.2
    }
    await outbox.runOnce(signal)
    const messages = await store.listMessages(10)
    expect(messages).toMatchObject({
      value: [
        { key: 'b', state: 'delivered' },
        { key: 'a', state: 'dead', attempts: 18 },
      ],
    })
    expect(messages).toMatchObject({
      value: [{}, { lastError: expect.stringContaining('NOTIFY_UNREACHABLE') }],
    })
    expect(hook.effective()).toEqual(['b'])
  })

  it('does not try again what was refused for good', async () => {
    const { outbox, hook, put, store } = await world()
    await put('shop', ['a', 'b'])
    hook.fail(1, { code: 'NOTIFY_GONE', message: 'Gone.', remedy: 'Remove it.', retryable: false })
    expect(await outbox.runOnce(signal)).toBe(1)
    expect(await store.listMessages(10)).toMatchObject({
      value: [{ state: 'delivered' }, { key: 'a', state: 'dead', attempts: 1 }],
    })
  })

  it("waits as long as the receiver's Retry-After says", async () => {
    const { outbox, hook, clock, put, store } = await world()
    const busy: NotifyFailure = {
      code: 'NOTIFY_UNAVAILABLE',
      message: '429',
      remedy: '-',
      retryable: true,
      retryAfterMs: 90_000,
    }
    await put('shop', ['a'])
    hook.fail(1, busy)
    await outbox.runOnce(signal)
    expect(await store.listMessages(1)).toMatchObject({ value: [{ notBefore: clock.time + 90_000 }] })
  })

  it('lets a channel that hangs hold up neither other channels nor a second pass', async () => {
    const { outbox, hook, mail, put } = await world()
    mail.pause()
    await put('shop', ['a', 'b'], ['mail', 'hook'])
    const slow = outbox.runOnce(signal)
    await vi.waitFor(() => expect(hook.effective()).toEqual(['a', 'b']))
    await put('api', ['c'], ['mail', 'hook'])
    expect(await outbox.runOnce(signal)).toBe(1)
    expect(hook.effective()).toEqual(['a', 'b', 'c'])
    mail.resume()
    expect(await slow).toBe(4)
    await outbox.runOnce(signal)
    expect(mail.effective()).toEqual(['a', 'b', 'c'])
  })

  it('does not run a long queue of a dead channel into one timeout after the other', async () => {
    const attempts: string[] = []
    const dead: Notifier = {
      kind: 'dead',
      send: async (_, key) => {
        attempts.push(key)
        return {
          kind: 'failed',
          problem: { code: 'NOTIFY_TIMEOUT', message: 'late', remedy: '-', retryable: true },
        }
      },
    }
    const { outbox, hook, put } = await world({ mail: dead })
    for (let n = 0; n < 40; n += 1) await put(`s${n}`, [`k${n}`], ['mail', 'hook'])
    expect(await outbox.runOnce(signal)).toBe(40)
    expect(hook.effective()).toHaveLength(40)
    expect(attempts.length).toBeLessThanOrEqual(4)
  })

  it('never has more than four messages of a channel on their way', async () => {
    let now = 0
    let most = 0
    const send: Notifier['send'] = async () => {
      now += 1
      most = Math.max(most, now)
      await new Promise(setImmediate)
      now -= 1
      return { kind: 'ok', value: undefined }
    }
    const { outbox, put } = await world({ mail: { kind: 'counting', send } })
    for (let n = 0; n < 20; n += 1) await put(`s${n}`, [`k${n}`], ['mail'])
    expect(await outbox.runOnce(signal)).toBe(20)
    expect(most).toBe(4)
  })

  it('keeps a message whose channel is not configured, and one whose notifier throws', async () => {
    const throwing: Notifier = { kind: 'throwing', send: () => Promise.reject(new Error('bug')) }
    const { outbox, hook, put, store } = await world({ mail: throwing })
    await put('shop', ['a'], ['mail', 'pager', 'hook'])
    expect(await outbox.runOnce(signal)).toBe(1)
    expect(hook.effective()).toEqual(['a'])
    const messages = await store.listMessages(10)
    if (messages.kind === 'failed') throw new Error(messages.problem.message)
    const errors = messages.value
      .filter(({ state }) => state === 'pending')
      .map(({ lastError }) => lastError?.split(':')[0])
    expect(errors.sort()).toEqual(['NOTIFY_CRASHED', 'NOTIFY_UNKNOWN_CHANNEL'])
  })

  it('does not send again what was settled between a question to the store and its answer', async () => {
    const { outbox, hook, put, store, waitAtSend, waitAtRead } = await slowWorld()
    await put('shop', ['a'])
    const first = outbox.runOnce(signal)
    await waitAtSend.reached
    const second = outbox.runOnce(signal)
    await waitAtRead.reached
    waitAtSend.goOn()
    await first
    waitAtRead.goOn()
    await second
    expect(hook.arrived.map(({ key }) => key)).toEqual(['a'])
    expect(await store.listMessages(1)).toMatchObject({ value: [{ state: 'delivered', attempts: 1 }] })
  })

  it('starts nothing new after it was told to stop', async () => {
    const { outbox, hook, put } = await world()
    await put('shop', ['a'])
    expect(await outbox.runOnce(AbortSignal.abort())).toBe(0)
    expect(hook.arrived).toEqual([])
  })
})

async function world(more: Record<string, Notifier> = {}) {
  const { open, faults } = createStoreFake()
  const store = open()
  await store.join({ name: 'here', pid: 1, host: 'here', startedAt: 0 })
  const [hook, mail] = [createNotifierFake(), createNotifierFake()]
  const clock = { time: 1_000, now: () => clock.time }
  const log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }
  const notifiers = { hook: hook.notifier, mail: mail.notifier, ...more }
  const restarted = () => createOutbox({ store, notifiers, clock, log, random: () => 0.5 })
  const put = (stream: string, keys: string[], channels = ['hook']) =>
    putMessages(store, { stream, keys, channels })
  return { store, faults, hook, mail, clock, put, restarted, outbox: restarted() }
}

/** A world in which a message stays under way, and then an answer of the store, until they are told to go on. */
async function slowWorld() {
  const plain = await world()
  const [waitAtSend, waitAtRead] = [createGate(), createGate()]
  const { store, hook, clock } = plain
  const pendingMessages: Store['pendingMessages'] = async (now, limit) => {
    const pending = await store.pendingMessages(now, limit)
    if (hook.arrived.length > 0) await waitAtRead.pass()
    return pending
  }
  const send: Notifier['send'] = async (message, key) => {
    const sent = await hook.notifier.send(message, key)
    await waitAtSend.pass()
    return sent
  }
  const log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }
  const notifiers = { hook: { kind: 'slow', send } }
  const outbox = createOutbox({
    store: { ...store, pendingMessages },
    ...{ notifiers, clock, log, random: () => 0.5 },
  })
  return { ...plain, outbox, waitAtSend, waitAtRead }
}

function createGate() {
  const reached = Promise.withResolvers<void>()
  const open = Promise.withResolvers<void>()
  return {
    reached: reached.promise,
    goOn: open.resolve,
    pass: async () => {
      reached.resolve()
      await open.promise
    },
  }
}

async function putMessages(
  store: Store,
  { stream, keys, channels }: { stream: string; keys: string[]; channels: string[] },
) {
  const loaded = await store.load(stream)
  const expectedRevision = loaded.kind === 'ok' ? (loaded.value?.revision ?? 0) : 0
  const message = {
    type: 't',
    timestamp: '2026-01-02T03:04:05Z',
    severity: 'info' as const,
    summary: 's',
    data: {},
  }
  const messages = keys.flatMap((key) => channels.map((channel) => ({ channel, key, message })))
  const rest = { epoch: null, at: 0, schemaVersion: 1, state: {}, due: null, documents: [] }
  const done = await store.append({
    stream,
    expectedRevision,
    events: [{ kind: 'e', event: 1 }],
    messages,
    ...rest,
  })
  expect(done.kind).toBe('ok')
  // Messages are delivered by whoever looks after the stream.
  expect((await store.claim({ now: 0, leaseMs: 60_000, limit: 10 })).kind).toBe('ok')
}
