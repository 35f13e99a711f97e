import type { IncomingMessage } from 'node:http'
import { ServiceView } from '../../core/rollout/view/view.ts'
import { type Problem, problem } from '../../core/shared/problem.ts'
import type { Client } from '../client.ts'
import type { Io } from '../io.ts'
import { createEventReader, type ServerEvent } from './sse.ts'

/** The controller sends a heartbeat every 10 s; after this long without a byte the connection counts as dead. */
const SILENCE_MS = 25_000
/** A restarted controller is back in seconds; after this the watch gives up. */
const AWAY_LIMIT_MS = 60_000
const RETRY_MS = 500

/** What a watch hears. `away` repeats while the controller does not answer; `gone` is the last word. */
export type Heard =
  | { kind: 'view'; view: ServiceView }
  | { kind: 'away'; sinceMs: number }
  | { kind: 'gone'; problem: Problem }

type Following = { stream: string; io: Pick<Io, 'now' | 'sleep'>; signal: AbortSignal; awayLimitMs?: number }

/** Every view of the stream from now on, over restarts of the controller, until the signal aborts. */
export async function* follow(
  client: Client,
  { stream, io, signal, awayLimitMs = AWAY_LIMIT_MS }: Following,
): AsyncGenerator<Heard> {
  let lastHeard = io.now()
  while (!signal.aborted) {
    const opened = await client.open(`/api/v1/events?stream=${encodeURIComponent(stream)}`, signal)
    if (opened.kind === 'ok') {
      for await (const event of eventsOf(opened.value)) {
        lastHeard = io.now()
        const heard = readEvent(event)
        if (heard !== null) yield heard
        if (heard?.kind === 'gone') return
      }
    }
    if (signal.aborted) return
    const sinceMs = io.now() - lastHeard
    if (sinceMs >= awayLimitMs) return yield { kind: 'gone', problem: gaveUp(sinceMs) }
    yield { kind: 'away', sinceMs }
    await io.sleep(RETRY_MS, signal)
  }
}

async function* eventsOf(response: IncomingMessage): AsyncGenerator<ServerEvent> {
  const read = createEventReader()
  response.setEncoding('utf8')
  response.socket.setTimeout(SILENCE_MS, () => response.destroy())
  try {
    for await (const chunk of response) yield* read(String(chunk))
  } catch {
    // A connection that breaks is the same as one that ends: the caller connects again.
  } finally {
    response.destroy()
  }
}

function readEvent({ event, data }: ServerEvent): Heard | null {
  if (event !== 'service') return null
  const parsed = ServiceView.safeParse(JSON.parse(data))
  return parsed.success
    ? { kind: 'view', view: parsed.data }
    : { kind: 'gone', problem: otherVersion(parsed.error.message) }
}

const gaveUp = (sinceMs: number): Problem =>
  problem('CONTROLLER_UNREACHABLE', {
    message: `The controller has not answered for ${Math.round(sinceMs / 1000)} s.`,
    remedy:
      'Start it with `sluice up`, then go on with `sluice watch`. Traffic flows without it and stays as it was.',
    retryable: true,
  })

const otherVersion = (cause: string): Problem =>
  problem('CONTROLLER_SPEAKS_OTHERWISE', {
    message: 'The view the controller sent cannot be read.',
    cause,
    remedy:
      'The controller is probably of another version: run `sluice down --controller-only`, then `sluice up`.',
  })
