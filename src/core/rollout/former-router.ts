import * as z from 'zod'
import { RouterName } from '../shared/router-ability.ts'

/** A router that served before: what it still has under way keeps the instances that it has it on (S131). */
export const FormerRouter = z.object({
  router: RouterName,
  /** When another one was confirmed in its place, and then when it let go. What it has may take so long from there. */
  since: z.number(),
  /** Instances that it has work on; `null` until it was heard: it may be any. */
  busy: z.array(z.string()).nullable(),
})
export type FormerRouter = z.infer<typeof FormerRouter>

/** Routers that served before and may still matter. */
export const formerRouters = ({ left, former }: Routers): RouterName[] => [
  ...new Set([...left, ...former.map(({ router }) => router)]),
]

type Routers = { left: readonly RouterName[]; former: readonly FormerRouter[] }

/** With the confirmation of its successor it is asked to let go, and from then on it is watched. */
export const watchedFrom = (at: number, { left, former }: Routers): FormerRouter[] => [
  ...former,
  ...left
    .filter((router) => former.every((one) => one.router !== router))
    .map((router) => ({ router, since: at, busy: null })),
]

/** Its drains begin when it lets go. */
export const lettingGo = (
  { router, at }: { router: RouterName; at: number },
  { former }: Pick<Routers, 'former'>,
): FormerRouter[] => former.map((one) => (one.router === router ? { ...one, since: at } : one))

/** One that has let go and has nothing any more is forgotten. */
export const afterHearing = (
  { router, busy }: Pick<FormerRouter, 'router'> & { busy: string[] },
  { left, former }: Routers,
): FormerRouter[] =>
  former
    .map((one) => (one.router === router ? { ...one, busy } : one))
    .filter((one) => one.busy === null || one.busy.length > 0 || left.includes(one.router))
