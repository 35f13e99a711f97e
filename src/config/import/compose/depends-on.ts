import * as z from 'zod'
import type { Keys } from './notes.ts'

const DependsOn = z.union([
  z.array(z.string()),
  z.record(z.string(), z.object({ condition: z.string().default('service_started') })),
])
export type Dependency = { service: string; condition: string }

export function dependenciesOf(keys: Keys): Dependency[] {
  const named = keys.read('depends_on', DependsOn) ?? []
  return Array.isArray(named)
    ? named.map((service) => ({ service, condition: 'service_started' }))
    : Object.entries(named).map(([service, { condition }]) => ({ service, condition }))
}

/** A check that names what a service needs, at the address where this machine reaches it. */
export type NeedCheck = { name: string; tcp: string }

type Others = {
  /** Addresses of services that stay with compose, where they publish one. */
  addressOf: ReadonlyMap<string, string>
  released: ReadonlySet<string>
}

/** What was a condition at the start becomes a look for as long as a release runs, where this machine can look. */
export function needsOf(
  keys: Keys,
  dependencies: readonly Dependency[],
  { addressOf, released }: Others,
): NeedCheck[] {
  return dependencies.flatMap(({ service, condition }): NeedCheck[] => {
    const tcp = addressOf.get(service)
    if (tcp !== undefined) return [{ name: service, tcp }]
    keys.leaveOut('depends_on', whyNot(service, condition, released.has(service)))
    return []
  })
}

function whyNot(service: string, condition: string, isReleased: boolean): string {
  if (condition === 'service_completed_successfully')
    return `Nothing waits for ${service} to end. Run it before "sluice deploy".`
  if (isReleased)
    return `Services are released one by one: deploy ${service} first. ${condition === 'service_healthy' ? 'Each is ready only when its own health says so.' : ''}`.trimEnd()
  return `Nothing waits for ${service} (${condition}): see that it runs, and that the service tries again until it answers. Where it publishes a port, health.checks can look at it.`
}
