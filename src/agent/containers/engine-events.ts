import { Readable } from 'node:stream'
import * as z from 'zod'
import type { Problem } from '../../core/shared/problem.ts'
import type { Engine } from './engine.ts'

/** What happens to containers. Starts and ends of programs in them (health checks of images) would flood the rest. */
const ACTIONS = ['die', 'oom', 'destroy', 'pause', 'unpause', 'start']
const AGAIN_MS = 500

const Event = z.object({ Action: z.string(), Actor: z.object({ ID: z.string() }) })

type EventParts = {
  engine: Engine
  /** Something happened to this container. What, is better asked than believed. */
  heard(container: string): void
  /** The stream has begun: what happened before was not heard. */
  connected(): void
  lost(why: Problem | null): void
  report(error: unknown): void
}

/** The engine's stream of events, opened again for as long as the agent lives. */
export class EngineEvents {
  readonly #parts: EventParts
  #wanted = false
  #closed = false
  #stream: Readable | null = null

  constructor(parts: EventParts) {
    this.#parts = parts
  }

  get isConnected(): boolean {
    return this.#stream !== null
  }

  /** From the first container on. */
  want(): void {
    if (this.#wanted || this.#closed) return
    this.#wanted = true
    void this.#listen()
  }

  close(): void {
    this.#closed = true
    this.#stream?.destroy()
  }

  async #listen(): Promise<void> {
    while (!this.#closed) {
      await this.#once().catch(this.#parts.report)
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS).unref())
    }
  }

  async #once(): Promise<void> {
    const { engine, connected, lost } = this.#parts
    const opened = await engine.ask({ what: 'tell what happens' }, (docker) =>
      docker.getEvents({ filters: { type: ['container'], event: ACTIONS } }),
    )
    if (opened.kind === 'failed') return lost(opened.problem)
    const stream = opened.value
    // The library's type is wider than what it gives.
    if (!(stream instanceof Readable)) return lost(null)
    this.#stream = stream
    if (this.#closed) this.#stream.destroy()
    connected()
    try {
      await this.#read(stream)
    } catch {
      // The engine has ended, or is being restarted.
    }
    this.#stream = null
    if (!this.#closed) lost(null)
  }

  async #read(stream: Readable): Promise<void> {
    let rest = ''
    for await (const chunk of stream) {
      const lines = `${rest}${String(chunk)}`.split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) this.#heard(line)
    }
  }

  #heard(line: string): void {
    const event = Event.safeParse(parseJson(line))
    if (event.success) this.#parts.heard(event.data.Actor.ID)
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
