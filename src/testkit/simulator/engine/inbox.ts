import { isDeepStrictEqual } from 'node:util'
import type { Result } from '../../../core/shared/result.ts'
import { ok } from '../../../core/shared/result.ts'
import type { NotificationMessage } from '../../../ports/notifier.ts'
import type { AppendRequest, SettleMessage } from '../../../ports/store.ts'
import type { Life } from './life.ts'

type Kept = { channel: string; key: string; stream: string; words: unknown; index: number; arrived: number }

/** Told once per rollout, whatever happens. */
const ONCE = /^rollout\.(started|promoted|rolled_back|aborted|superseded|failed)$/

/** Where messages arrive, and what was promised to arrive. */
export type Inbox = {
  /** Messages that became durable with an append. */
  written(request: AppendRequest): void
  begins(life: Life, channel: string, key: string): void
  arrives(channel: string, key: string, message: NotificationMessage): Result<void>
  acknowledged(life: Life, channel: string, key: string): void
  settled(settle: SettleMessage): void
  /** Keys that never arrived. */
  missing(): string[]
  count(): number
}

/** As JSON has it; the order in which a store hands the fields out says nothing. */
const plain = (message: NotificationMessage): unknown => JSON.parse(JSON.stringify(message))

export function createInbox({ violate }: { violate(what: string): void }): Inbox {
  const kept = new Map<string, Kept>()
  const lanes = new Map<string, Kept[]>()
  const told = new Set<string>()
  /** Messages whose delivery a life knows of and could note. */
  const known = new Set<string>()
  const settled = new Set<string>()
  const idOf = (channel: string, key: string): string => `${channel} ${key}`

  function written({ stream, messages, events }: AppendRequest): void {
    for (const { channel, key, message } of messages) {
      const id = idOf(channel, key)
      if (kept.has(id)) violate(`message ${id} was written twice`)
      const lane = lanes.get(`${stream} ${channel}`) ?? []
      lanes.set(`${stream} ${channel}`, lane)
      const one = { channel, key, stream, words: plain(message), index: lane.length, arrived: 0 }
      lane.push(one)
      kept.set(id, one)
      once(channel, message)
    }
    eachIsTold(events, messages)
  }

  function once(channel: string, { type, data }: NotificationMessage): void {
    if (!ONCE.test(type)) return
    const what = `${type} of ${String(data.rollout)} in ${channel}`
    if (told.has(what)) violate(`there are two different messages for ${what}`)
    told.add(what)
  }

  /** The beginning and the end of a rollout are told on every channel that asked for everything. */
  function eachIsTold(events: AppendRequest['events'], messages: AppendRequest['messages']): void {
    const due = events.filter(({ kind }) => kind === 'rollout-started' || kind === 'outcome-reached').length
    const said = messages.filter(
      ({ message, channel }) => ONCE.test(message.type) && channel.endsWith('/ops'),
    ).length
    if (said < due) violate(`${due} events began or ended a rollout, and ${said} messages say so`)
  }

  return {
    written,
    begins: (life, channel, key) => {
      const id = `${life.name} ${idOf(channel, key)}`
      if (known.has(id) && settled.has(idOf(channel, key)))
        violate(`${idOf(channel, key)} is sent again, although its delivery was noted`)
    },
    arrives: (channel, key, message) => {
      const one = kept.get(idOf(channel, key))
      if (one === undefined) violate(`a message arrived that was never written: ${idOf(channel, key)}`)
      if (one === undefined) return ok(undefined)
      if (!isDeepStrictEqual(one.words, plain(message)))
        violate(`${key} arrived with other words than before`)
      one.arrived += 1
      const earlier = lanes.get(`${one.stream} ${channel}`)?.slice(0, one.index) ?? []
      const late = earlier.find(({ arrived }) => arrived === 0)
      if (late !== undefined) violate(`${key} overtook ${late.key} in ${channel}`)
      return ok(undefined)
    },
    acknowledged: (life, channel, key) => known.add(`${life.name} ${idOf(channel, key)}`),
    settled: (settle) => {
      const id = idOf(settle.channel, settle.key)
      if (settle.kind !== 'delivered') return
      if (kept.get(id)?.arrived === 0) violate(`${id} was noted as delivered and never arrived`)
      settled.add(id)
    },
    missing: () => [...kept.values()].filter(({ arrived }) => arrived === 0).map(({ key }) => key),
    count: () => [...kept.values()].reduce((sum, { arrived }) => sum + arrived, 0),
  }
}
