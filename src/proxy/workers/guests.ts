import type { Admission } from '../admission.ts'
import type { Refusal } from '../refusal.ts'

type Asked = { number: number; service: string }

/** Requests of one worker that the process that leads let in: limits count over all processes, so one of them counts. */
export class Guests {
  private readonly inside = new Map<number, () => void>()
  private readonly admissionOf: (service: string) => Admission | null

  constructor(admissionOf: (service: string) => Admission | null) {
    this.admissionOf = admissionOf
  }

  /** What the request is answered instead; `null` when it is in. */
  enter({ number, service }: Asked): Refusal | null {
    const admission = this.admissionOf(service)
    if (admission === null || admission.isOpen) return null
    return admission.enter({ once: (_, leave) => this.inside.set(number, leave) })
  }

  left(number: number): void {
    this.inside.get(number)?.()
    this.inside.delete(number)
  }

  /** The worker is gone, and what it had with it. */
  leave(): void {
    for (const number of [...this.inside.keys()]) this.left(number)
  }
}
