import { problem } from '../core/shared/problem.ts'
import { failed, ok, type Result } from '../core/shared/result.ts'
import type { Clock } from '../ports/clock.ts'
import type { Log } from '../ports/log.ts'
import type { Notifier, NotifyFailure } from '../ports/notifier.ts'
import type { OutboxMessage, SettleMessage, Store } from '../ports/store.ts'
import { nextDelayMs } from './outbox-schedule.ts'

/** Messages looked at in one pass. The store lets channels take turns, so a long queue of one cannot fill the pass. */
const BATCH = 200
/** Messages on their way at the same time, per channel. Each channel has its own, so a slow one slows only itself. */
const IN_FLIGHT_PER_CHANNEL = 4

export type OutboxDependencies = {
  store: Store
  /** By name of the channel. */
  notifiers: Readonly<Record<string, Notifier>>
  clock: Pick<Clock, 'now'>
  log: Log
  /** In [0, 1), for the jitter. */
  random: () => number
}

export type Outbox = {
  /**
   * One pass over what is pending; answers with the number of messages delivered. A pass lasts as long as its slowest channel,
   * so callers need not wait for it: a further call leaves out the channels that are still busy.
   */
  runOnce(signal: AbortSignal): Promise<number>
}

/**
 * Delivers what the store holds: at least once, with the same key on each attempt, in order within a stream and channel.
 * The order is: send, then note it. A crash in between means that the receiver sees the same key twice and drops the repeat.
 *
 * @example const outbox = createOutbox({ store, notifiers: { ops: webhook }, clock, log, random: Math.random })
 */
export function createOutbox(parts: OutboxDependencies): Outbox {
  const dependencies: Delivery = { ...parts, sent: new Set() }
  const busy = new Set<string>()
  let isReading = false
  return {
    runOnce: async (signal) => {
      if (isReading) return 0
      const { store, clock, log } = dependencies
      // A channel that was busy when the question was asked may have settled what the answer still holds.
      const occupied = new Set(busy)
      isReading = true
      const pending = await store.pendingMessages(clock.now(), BATCH)
      isReading = false
      if (pending.kind === 'failed') {
        log.error('outbox could not be read', { problem: pending.problem })
        return 0
      }
      const free = pending.value.filter(({ channel }) => !occupied.has(channel))
      const channels = [...Map.groupBy(free, ({ channel }) => channel)]
      const counts = channels.map(async ([channel, messages]) => {
        busy.add(channel)
        try {
          return await deliverChannel(dependencies, messages, signal)
        } finally {
          busy.delete(channel)
        }
      })
      return sum(await Promise.all(counts))
    },
  }
}

/** `sent`: what was delivered and could not be noted yet, so that only the note is tried again. */
type Delivery = OutboxDependencies & { sent: Set<string> }

/** `ailing`: an attempt failed in this pass. The rest of the channel waits for the next pass instead of timing out one by one. */
type ChannelPass = {
  dependencies: Delivery
  lanes: OutboxMessage[][]
  signal: AbortSignal
  ailing: boolean
}

async function deliverChannel(
  dependencies: Delivery,
  messages: OutboxMessage[],
  signal: AbortSignal,
): Promise<number> {
  const lanes = [...Map.groupBy(messages, ({ stream }) => stream).values()]
  const pass: ChannelPass = { dependencies, lanes, signal, ailing: false }
  return sum(await Promise.all(Array.from({ length: IN_FLIGHT_PER_CHANNEL }, () => work(pass))))
}

/** Takes one stream after the other until none is left. */
async function work(pass: ChannelPass): Promise<number> {
  let delivered = 0
  for (let lane = pass.lanes.shift(); lane !== undefined; lane = pass.lanes.shift())
    delivered += await deliverLane(pass, lane)
  return delivered
}

/** One stream's messages, one after the other. What must be tried again stops the lane; what is dead lets the next one pass. */
async function deliverLane(pass: ChannelPass, lane: readonly OutboxMessage[]): Promise<number> {
  let delivered = 0
  for (const message of lane) {
    if (pass.signal.aborted || pass.ailing) return delivered
    const outcome = await attempt(pass.dependencies, message)
    if (outcome.kind === 'retry') pass.ailing = true
    if (!(await note(pass.dependencies, outcome))) return delivered
    if (outcome.kind === 'retry') return delivered
    if (outcome.kind === 'delivered') delivered += 1
  }
  return delivered
}

async function attempt(dependencies: Delivery, message: OutboxMessage): Promise<SettleMessage> {
  const { channel, key } = message
  const isSent = dependencies.sent.has(idOf(message))
  const sent = isSent ? ok(undefined) : await send(dependencies, message)
  const at = dependencies.clock.now()
  if (sent.kind === 'ok') {
    dependencies.sent.add(idOf(message))
    return { kind: 'delivered', channel, key, at }
  }
  const failure = sent.problem
  const error = `${failure.code}: ${failure.message}`
  const delayMs = failure.retryable ? delayAfter(dependencies, message, failure) : null
  dependencies.log.warn('notification failed', {
    channel,
    key,
    stream: message.stream,
    problem: failure,
    retryInMs: delayMs,
  })
  return delayMs === null
    ? { kind: 'dead', channel, key, error }
    : { kind: 'retry', channel, key, error, notBefore: at + delayMs }
}

function delayAfter(
  { random }: OutboxDependencies,
  message: OutboxMessage,
  { retryAfterMs }: NotifyFailure,
): number | null {
  const wish = retryAfterMs === undefined ? {} : { retryAfterMs }
  return nextDelayMs({ attempts: message.attempts + 1, random: random(), ...wish })
}

async function send(
  { notifiers, log }: OutboxDependencies,
  message: OutboxMessage,
): Promise<Result<void, NotifyFailure>> {
  const notifier = Object.hasOwn(notifiers, message.channel) ? notifiers[message.channel] : undefined
  if (notifier === undefined) return failed(unknownChannel(message.channel, Object.keys(notifiers)))
  try {
    return await notifier.send(message.message, message.key)
  } catch (error) {
    // A bug in one notifier must not keep the other channels silent. It is loud in the log and the message is kept.
    log.error('notifier threw', { channel: message.channel, key: message.key, error })
    return failed(crashed(message.channel, error))
  }
}

/** False when the store could not note it; then the lane stops, because going on would break the order. */
async function note({ store, log, sent }: Delivery, outcome: SettleMessage): Promise<boolean> {
  const noted = await store.settleMessage(outcome)
  if (noted.kind === 'ok') {
    sent.delete(idOf(outcome))
    return true
  }
  log.error('outcome of a notification could not be noted', {
    channel: outcome.channel,
    key: outcome.key,
    problem: noted.problem,
  })
  return false
}

function unknownChannel(channel: string, known: readonly string[]): NotifyFailure {
  return problem('NOTIFY_UNKNOWN_CHANNEL', {
    message: `The notification channel ${channel} is not configured. Configured are: ${known.join(', ') || 'none'}.`,
    remedy: `Configure the channel ${channel} again. The message waits for it for about three days.`,
    retryable: true,
  })
}

function crashed(channel: string, error: unknown): NotifyFailure {
  return problem('NOTIFY_CRASHED', {
    message: `The notifier of channel ${channel} crashed: ${String(error)}.`,
    remedy: 'This is a bug; please report it. Sluice tries again.',
    retryable: true,
  })
}

const idOf = ({ channel, key }: { channel: string; key: string }): string => JSON.stringify([channel, key])

const sum = (counts: readonly number[]): number => counts.reduce((total, count) => total + count, 0)
