import type { RouterName } from '../../../core/shared/router-ability.ts'
import type { Random } from './random.ts'
import { createRouter, type SimulatedRouter } from './router.ts'
import type { Scheduler } from './scheduler.ts'
import type { SimulatedTarget } from './target.ts'
import { createUsers, type MetricFault, type Quality, type SimulatedUsers } from './users.ts'

/** One data plane: who sends requests to instances, and the users who come in there. */
export type Plane = { name: RouterName; router: SimulatedRouter; users: SimulatedUsers }

/** Users wherever they come in. */
type AllUsers = Pick<
  SimulatedUsers,
  'quality' | 'qualityOf' | 'served' | 'reached' | 'copied' | 'strike' | 'heal'
>

export type Planes = {
  of(name: RouterName): Plane
  /** The built-in one first. */
  all: readonly [Plane, ...Plane[]]
  users: AllUsers
}

type PlaneParts = {
  target: SimulatedTarget
  random: Random
  wallNow: () => number
  requestsPerSecond: number
}

/** As many users come to each; where no routes are, nobody does. */
export function createPlanes(scheduler: Scheduler, parts: PlaneParts): Planes {
  const { target, random, wallNow, requestsPerSecond } = parts
  const qualities = new Map<string, Quality>()
  const plane = (name: RouterName, called: string, own: Random): Plane => {
    const router: SimulatedRouter = createRouter(scheduler, {
      ...{ name: called, random: own, wallNow },
      beforeChange: (service) => users.settle(service),
    })
    const users = createUsers(scheduler, { target, router: () => router, requestsPerSecond, qualities })
    return { name, router, users }
  }
  const builtin = plane('builtin', 'router', random)
  const haproxy = plane('haproxy', 'haproxy', random.fork('haproxy'))
  const all = [builtin, haproxy] as const
  const sum = (pick: (users: SimulatedUsers) => number): number =>
    all.reduce((total, { users }) => total + pick(users), 0)
  return {
    all: [...all],
    of: (name) => all.find((one) => one.name === name) ?? builtin,
    users: {
      quality: builtin.users.quality,
      qualityOf: builtin.users.qualityOf,
      served: (service, release) => sum((users) => users.served(service, release)),
      reached: (service, salt, variant) => sum((users) => users.reached(service, salt, variant)),
      copied: (service, salt) => sum((users) => users.copied(service, salt)),
      strike: (fault: MetricFault | null) => {
        for (const { users } of all) users.strike(fault)
      },
      heal: () => {
        for (const { users } of all) users.heal()
      },
    },
  }
}
