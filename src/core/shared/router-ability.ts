import * as z from 'zod'
import { Problem } from './problem.ts'

/** The routers that there are. */
export const RouterName = z.enum(['builtin', 'haproxy', 'nginx'])
export type RouterName = z.infer<typeof RouterName>

/**
 * What a plan may need of a router beyond weights, drains and counters, which each must have.
 * `rules`: users chosen by header or cookie. `sticky`: users keep their version. `variants`: an A/B test.
 * `preview`: an address of its own for a release. `mirror`: copies of requests. `compare-bodies`: their answers are compared by their bodies, too. `slow-start`: a new instance grows to its
 * share. `ejection`: an instance that fails again and again gets nothing for a while. `limits`: bodies that are
 * too large are turned away, and requests beyond so many at the same time. `rate`: likewise for so many a second, by a bucket of
 * tokens; `fine-rate`: also at a rate that is no multiple of 0.05 a second; `limited-copies`: requests at the
 * same time are limited while they are copied. `access-log`: a line for each request. `closed`: nobody is served for a declared time. `revert`: back to stable when no controller speaks to it.
 * `tls`: it ends TLS. `hosts`: host names and paths tell services at one address apart.
 */
export const RouterFeature = z.enum([
  'rules',
  'sticky',
  'variants',
  'preview',
  'mirror',
  'compare-bodies',
  'slow-start',
  'closed',
  'revert',
  'tls',
  'hosts',
  'ejection',
  'limits',
  'rate',
  'fine-rate',
  'limited-copies',
  'access-log',
])
export type RouterFeature = z.infer<typeof RouterFeature>

/** `why` is a whole sentence for people: what is missing in this router, in this version. */
const Ability = z.discriminatedUnion('can', [
  /** `note`: what it costs or how it differs there, said where it is asked for. */
  z.object({ can: z.literal(true), note: z.string().exactOptional() }),
  z.object({ can: z.literal(false), why: z.string() }),
])
export type Ability = z.infer<typeof Ability>

export const RouterAbilities = z.object({
  router: RouterName,
  /** As the program says it itself; `null` where it could not be asked. */
  version: z.string().nullable(),
  /** Why it cannot be used at all on this machine: not installed, too old, not to be started. */
  problem: Problem.nullable(),
  features: z.record(RouterFeature, Ability),
  /** What else a person should know about it, each a whole sentence: how exact a share is, what a change costs. */
  notes: z.array(z.string()),
})
export type RouterAbilities = z.infer<typeof RouterAbilities>
