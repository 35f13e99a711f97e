import type { BodyComparison } from '../../core/shared/mirror.ts'
import type { Sameness } from '../../core/shared/mirror-counts.ts'
import type { AnswerPrint } from './answer-print.ts'
import { type JsonRules, jsonRules, sameJson } from './same-json.ts'

/** So much JSON is read in a second at most: that takes a few percent of a core, and users need the rest. */
const JSON_BYTES_PER_SECOND = 2 * 1024 * 1024

/** Compares bodies of pairs of answers, and never works more than its budget allows. */
export class BodyComparer {
  private readonly bodies: BodyComparison
  private readonly rules: JsonRules
  private readonly now: () => number
  private second = 0
  private spentBytes = 0

  constructor(bodies: BodyComparison, now: () => number = () => performance.now()) {
    this.bodies = bodies
    this.rules =
      bodies.kind === 'json' ? jsonRules(bodies.ignore, bodies.ignoresVolatile) : jsonRules([], false)
    this.now = now
  }

  compare(user: AnswerPrint, shadow: AnswerPrint): Sameness {
    if (this.bodies.kind === 'off' || user.digest() === shadow.digest()) return 'same'
    if (this.bodies.kind === 'exact') return 'different'
    if (user.saysJson !== shadow.saysJson || !user.saysJson) return 'different'
    return this.mayRead(user.bytes + shadow.bytes) ? this.compareJson(user.json(), shadow.json()) : 'unknown'
  }

  private mayRead(bytes: number): boolean {
    const second = Math.floor(this.now() / 1000)
    if (second !== this.second) {
      this.second = second
      this.spentBytes = 0
    }
    this.spentBytes += bytes
    return this.spentBytes <= JSON_BYTES_PER_SECOND
  }

  private compareJson(user: string | null, shadow: string | null): Sameness {
    if (user === null || shadow === null) return 'unknown'
    const [a, b] = [parsed(user), parsed(shadow)]
    if (a === null || b === null) return a === b && user === shadow ? 'same' : 'different'
    return sameJson(a.value, b.value, this.rules)
  }
}

/** `null` where it says that it is JSON and is not. */
function parsed(text: string): { value: unknown } | null {
  try {
    return { value: JSON.parse(text) }
  } catch {
    return null
  }
}
