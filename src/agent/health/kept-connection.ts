import { Agent } from 'node:http'

/** Whoever still answers on an old connection may take no new ones any more: every so many questions go out on a new one. */
export const QUESTIONS_PER_CONNECTION = 10

/** `isLast`: the instance is asked to close the connection with its answer, which costs less than to close it here. */
export type Turn = { agent: Agent; isLast: boolean }

/**
 * The connection over which an instance that is well is asked again: to open a new one each time costs both sides more than
 * the question (the kernel, and whoever passes connections on to a container).
 */
export class KeptConnection {
  #agent: Agent | null = null
  #asked = 0

  /** For the next question. */
  next(): Turn {
    this.#agent ??= new Agent({ keepAlive: true, maxSockets: 1 })
    this.#asked = (this.#asked % QUESTIONS_PER_CONNECTION) + 1
    return { agent: this.#agent, isLast: this.#asked === QUESTIONS_PER_CONNECTION }
  }

  /** Nothing is left open: an instance that ends may wait for it. Repeatable. */
  close(): void {
    this.#agent?.destroy()
    this.#agent = null
    this.#asked = 0
  }
}
