import { fitsPattern } from '../core/shared/pattern.ts'
import type { VariantRoute } from '../core/shared/side-routes.ts'
import type { VariantCounts } from '../core/shared/traffic-counts.ts'

/** What a request that would reach the goal does once it is answered below 400. */
export type Goal = {
  /** Marks the user on the answer, so that they count once. */
  mark(flat: string[], status: number): void
  /** The answer reached the client. */
  answered(status: number): void
}

type Arm = { users: number; goals: number }

/** Counts of one A/B test since this process started, by variant; `null` is the control. */
export class Goals {
  readonly salt: string
  private readonly test: VariantRoute
  private readonly arms = new Map<string | null, Arm>()

  constructor(salt: string, test: VariantRoute) {
    this.salt = salt
    this.test = test
    for (const variant of [null, ...test.variants.map(({ name }) => name)])
      this.arms.set(variant, { users: 0, goals: 0 })
  }

  isGoal(method: string, url: string): boolean {
    const { goal } = this.test
    const end = url.indexOf('?')
    return method === goal.method && fitsPattern(goal.path, end < 0 ? url : url.slice(0, end))
  }

  welcome(variant: string | null): void {
    const arm = this.arms.get(variant)
    if (arm !== undefined) arm.users += 1
  }

  goalOf(variant: string | null, setCookie: string): Goal {
    return {
      mark: (flat, status) => {
        if (status < 400) flat.push('set-cookie', setCookie)
      },
      answered: (status) => {
        const arm = this.arms.get(variant)
        if (status < 400 && arm !== undefined) arm.goals += 1
      },
    }
  }

  report(): VariantCounts[] {
    return [...this.arms].map(([variant, { users, goals }]) => ({ salt: this.salt, variant, users, goals }))
  }
}
