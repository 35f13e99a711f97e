import type { Guest } from '../admission.ts'
import { GATE_LIMIT_MS } from '../limits.ts'
import { type Refusal, refusal } from '../refusal.ts'
import type { FromWorker } from './messages.ts'

type Waiting = { service: string; tell(refused: Refusal | null): void; timer: NodeJS.Timeout }

/**
 * The way into services with limits, in a worker. The process that leads counts for all, so that never more come in than
 * the service allows, however connections fall; it is asked for each request.
 */
export class Gate {
  private readonly send: (message: FromWorker) => void
  private readonly waiting = new Map<number, Waiting>()
  private asked = 0

  constructor(send: (message: FromWorker) => void) {
    this.send = send
  }

  /** What the guest is answered instead; `null` when it is in, and out again when it closes. */
  enter(service: string, guest: Guest): Promise<Refusal | null> {
    this.asked += 1
    const number = this.asked
    const { promise, resolve } = Promise.withResolvers<Refusal | null>()
    let isHere = true
    let isIn = false
    guest.once('close', () => {
      isHere = false
      if (isIn) this.send({ kind: 'left', number })
    })
    const tell = (refused: Refusal | null) => {
      isIn = refused === null
      if (isIn && !isHere) this.send({ kind: 'left', number })
      resolve(refused)
    }
    const timer = setTimeout(() => this.giveUp(number), GATE_LIMIT_MS)
    this.waiting.set(number, { service, tell, timer })
    this.send({ kind: 'enter', number, service })
    return promise
  }

  answered(number: number, refused: Refusal | null): void {
    const waiting = this.waiting.get(number)
    if (waiting === undefined) {
      // Too late: whoever asked was turned away.
      if (refused === null) this.send({ kind: 'left', number })
      return
    }
    this.waiting.delete(number)
    clearTimeout(waiting.timer)
    waiting.tell(refused)
  }

  private giveUp(number: number): void {
    const waiting = this.waiting.get(number)
    this.waiting.delete(number)
    waiting?.tell(unanswered(waiting.service))
  }
}

const unanswered = (service: string): Refusal => ({
  ...refusal(
    503,
    'SERVICE_BUSY',
    `Whether ${service} has room for one more request could not be found out in time.`,
    'Try again in a second.',
  ),
  retryAfterS: 1,
})
