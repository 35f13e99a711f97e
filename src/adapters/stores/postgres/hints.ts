import { createHash, randomUUID } from 'node:crypto'
import type { Client } from 'pg'
import * as z from 'zod'
import { type Database, query, settingsFor } from './database.ts'

/** PostgreSQL takes up to 8000 bytes; names of streams are far shorter than what is left. */
const MOST_BYTES = 7000
const FIRST_WAIT_MS = 250
const LONGEST_WAIT_MS = 10_000

const Hint = z.object({ from: z.string(), streams: z.array(z.string()) })
type Listener = { tell: (stream: string) => void }

/** LISTEN and NOTIFY shorten a wait and mean nothing else: a hint that got lost costs the time until the next look. */
export type Hints = {
  tell(streams: readonly string[]): void
  listen(onChange: (stream: string) => void): () => void
  close(): Promise<void>
}

/** `LISTEN` needs a connection of its own, which is opened with the first listener and again whenever it breaks. */
export function createHints(database: Database): Hints {
  const me = randomUUID()
  const channel = `sluice_${createHash('sha256').update(database.address.schema).digest('hex').slice(0, 16)}`
  const listeners = new Set<Listener>()
  const teller = createTeller(database, { me, channel })
  const line = createLine(database, channel, (payload) => {
    const hint = parsed(payload)
    if (hint === null || hint.from === me) return
    for (const stream of hint.streams) for (const { tell } of listeners) tell(stream)
  })
  return {
    tell: teller.tell,
    listen: (onChange) => {
      const listener = { tell: onChange }
      listeners.add(listener)
      line.open()
      return () => {
        listeners.delete(listener)
        if (listeners.size === 0) line.close().catch(() => undefined) // It is gone already then.
      }
    },
    close: async () => {
      listeners.clear()
      await line.close()
      await teller.rest()
    },
  }
}

/** After the transaction, not in it: a notification in it would make all commits of the database wait for each other. */
function createTeller(database: Database, { me, channel }: { me: string; channel: string }) {
  const waiting = new Set<string>()
  let busy: Promise<void> | null = null
  const run = async () => {
    while (waiting.size > 0) {
      const streams = upTo(MOST_BYTES, waiting)
      for (const stream of streams) waiting.delete(stream)
      const payload = JSON.stringify({ from: me, streams })
      await query(database, 'SELECT pg_notify($1, $2)', [channel, payload]).catch(() => undefined) // Only a hint.
    }
    busy = null
  }
  return {
    tell: (streams: readonly string[]) => {
      for (const stream of streams) waiting.add(stream)
      if (waiting.size > 0) busy ??= run()
    },
    rest: async () => {
      waiting.clear()
      await busy
    },
  }
}

function upTo(bytes: number, streams: Iterable<string>): string[] {
  const taken: string[] = []
  let size = 0
  for (const stream of streams) {
    size += Buffer.byteLength(JSON.stringify(stream)) + 1
    if (taken.length > 0 && size > bytes) break
    taken.push(stream)
  }
  return taken
}

function createLine(database: Database, channel: string, onHint: (payload: string) => void) {
  let wanted = false
  let client: Client | null = null
  let timer: NodeJS.Timeout | null = null
  let waitMs = FIRST_WAIT_MS

  async function connect(): Promise<void> {
    timer = null
    const { Client } = database.driver
    const next = new Client(settingsFor(database.address, database.driver))
    client = next
    next.on('error', () => undefined) // 'end' follows.
    next.on('end', () => again(next))
    next.on('notification', ({ payload }) => onHint(payload ?? ''))
    try {
      await next.connect()
      await next.query(`LISTEN ${channel}`)
      waitMs = FIRST_WAIT_MS
    } catch {
      await next.end().catch(() => undefined)
      again(next)
    }
  }

  function again(gone: Client): void {
    if (client !== gone) return
    client = null
    if (!wanted) return
    timer = setTimeout(() => void connect(), waitMs)
    timer.unref()
    waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS)
  }

  return {
    open: () => {
      if (wanted) return
      wanted = true
      void connect()
    },
    close: async () => {
      wanted = false
      if (timer !== null) clearTimeout(timer)
      timer = null
      const last = client
      client = null
      await last?.end().catch(() => undefined)
    },
  }
}

function parsed(payload: string): z.infer<typeof Hint> | null {
  try {
    return Hint.parse(JSON.parse(payload))
  } catch {
    return null // Somebody else's notification on the same channel.
  }
}
