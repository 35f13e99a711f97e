import { createHash } from 'node:crypto'
import type { ServiceRoutes } from '../../core/shared/routes.ts'
import { seatsOf } from '../../core/shared/seats.ts'
import type { VariantCounts } from '../../core/shared/traffic-counts.ts'

/** What a log line tells of a user who takes part in an A/B test. `variant` is `null` for the control. */
export type Visit = {
  /** `saltWord` of the test. */
  test: string
  variant: string | null
  /** Came for the first time and was given a cookie. */
  isNew: boolean
  /** Asked for the goal, and was not marked as one who has reached it. */
  isGoal: boolean
}

/** What stands for a salt in a router's configuration and log, where no salt can mean anything. */
export const saltWord = (salt: string): string => createHash('sha256').update(salt).digest('hex').slice(0, 16)

/** Stands for the control: no name of a variant. */
export const CONTROL_WORD = '.'

/**
 * Reads what a router writes of a visit; `null` for everything else. What a router does not know is nothing or `-`.
 *
 * @example readVisit('9f86d081884c7d65:green:36:1') // green, new, at the goal
 */
export function readVisit(text: string): Visit | null {
  const [, test, variant, fresh, goal] = /^([0-9a-f]{16}):([^:]+):([^:]*):([^:]*)$/.exec(text) ?? []
  if (test === undefined || variant === undefined) return null
  return {
    test,
    variant: variant === CONTROL_WORD ? null : variant,
    isNew: isTold(fresh),
    isGoal: isTold(goal),
  }
}

const isTold = (word: string | undefined): boolean => word !== undefined && word !== '' && word !== '-'

/** The test that these routes have, while its variants have the shares that were planned. */
export function testOf({ sticky, sets }: Pick<ServiceRoutes, 'sticky' | 'sets'>): WatchedTest | null {
  if (sticky?.kind !== 'assign' || sticky.test === undefined || !seatsOf(sticky, sets).tests) return null
  return { salt: sticky.salt, variants: sticky.test.variants.map(({ name }) => name) }
}
export type WatchedTest = { salt: string; variants: readonly string[] }

type Arm = { users: number; goals: number }

/**
 * Counts of one A/B test from log lines. A line that is lost is a user or a goal that is not counted, in each arm alike, so
 * the arms compare as before.
 */
export class LogArms {
  readonly salt: string
  private readonly test: WatchedTest
  private readonly word: string
  private readonly arms: Map<string | null, Arm>

  constructor(test: WatchedTest) {
    const { salt, variants } = test
    this.salt = salt
    this.test = test
    this.word = saltWord(salt)
    this.arms = new Map([null, ...variants].map((variant) => [variant, { users: 0, goals: 0 }]))
  }

  /** `isAnswered`: the client has all of an answer below 400. */
  take({ test, variant, isNew, isGoal }: Visit, isAnswered: boolean): void {
    const arm = test === this.word ? this.arms.get(variant) : undefined
    if (arm === undefined) return
    if (isNew) arm.users += 1
    if (isGoal && isAnswered) arm.goals += 1
  }

  /** The same test, from zero. */
  anew(): LogArms {
    return new LogArms(this.test)
  }

  report(): VariantCounts[] {
    return [...this.arms].map(([variant, { users, goals }]) => ({ salt: this.salt, variant, users, goals }))
  }
}
