import { readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import * as z from 'zod'
import { type Problem, problem } from '../../core/shared/problem.ts'
import { failed, ok, type Result } from '../../core/shared/result.ts'
import { routesNotSaved, staleToken, tokenReused } from '../../core/shared/route-problems.ts'
import { ServiceRoutes } from '../../core/shared/routes.ts'
import { compareTokens, FencingToken } from '../../core/shared/token.ts'
import type { Log } from '../../ports/log.ts'
import { sameRoutes } from '../../ports/same-routes.ts'
import { replaceDurably } from './durable-file.ts'
import { FolderTurn } from './folder-turn.ts'
import { drainsAfter, KeptDrain } from './kept-drains.ts'

/** Everything a router without a memory of its own must still know after `kill -9`. `own` is the adapter's. */
export type Kept<Own> = {
  services: Record<string, ServiceRoutes>
  /** Outlives the service: a controller of the past may not bring it back. */
  highestTokens: Record<string, FencingToken>
  /** By service, also of services that are gone. */
  drains: Record<string, KeptDrain[]>
  own: Own
}

/** What the adapter does with a change. */
export type Hands<Own> = {
  /** May still refuse: nothing was written yet. Completes what will be kept. */
  prepare(next: Kept<Own>): Promise<Result<Kept<Own>>>
  /**
   * Puts into force what is kept now. Also called for a repeat of the same routes, since the first attempt may have been
   * killed in the middle. `ROUTER_REFUSED` says that nothing changed: then what was kept before is kept again.
   */
  apply(kept: Kept<Own>): Promise<Result<void>>
}

export type FencedRoutesOptions<Own> = {
  /** Must be there. */
  folder: string
  own: { schema: z.ZodType<Own>; empty: Own }
  log: Log
  /** Milliseconds since 1970. */
  now: () => number
}

const NAME = 'routes.json'

/**
 * Routes by service, fenced by their tokens and durable before they take effect, for routers that are programs of others.
 * One change at a time, over all processes that share the folder.
 *
 * @example await fenced.setRoutes(routes, { prepare: async (next) => ok(next), apply: (kept) => reload(kept) })
 */
export class FencedRoutes<Own> {
  private readonly options: FencedRoutesOptions<Own>
  private readonly turn: FolderTurn

  constructor(options: FencedRoutesOptions<Own>) {
    this.options = options
    this.turn = new FolderTurn(options.folder)
  }

  setRoutes(routes: ServiceRoutes, hands: Hands<Own>): Promise<Result<void>> {
    const parsed = ServiceRoutes.safeParse(routes)
    if (!parsed.success) return Promise.resolve(failed(invalid(routes.service, parsed.error.message)))
    const { service, token } = parsed.data
    return this.change({ service, token, routes: parsed.data }, hands)
  }

  finalize(
    { service, token }: { service: string; token: FencingToken },
    hands: Hands<Own>,
  ): Promise<Result<void>> {
    return this.change({ service, token, routes: null }, hands)
  }

  /** What is kept at this moment, without waiting for a change that is under way. */
  async read(): Promise<Result<Kept<Own>>> {
    return await this.load()
  }

  /** Work that no change may come between. Not to be called from inside of `prepare` or `apply`. */
  inTurn<T>(work: (kept: Kept<Own>) => Promise<Result<T>>): Promise<Result<T>> {
    return this.turn.take(async () => {
      const kept = await this.load()
      return kept.kind === 'ok' ? await work(kept.value) : kept
    })
  }

  /** Resolves once no change is under way; with the reason where nobody can tell. Not to be called from inside of a turn. */
  async settled(): Promise<Problem | null> {
    try {
      const turn = await this.turn.take(async () => ok(undefined))
      return turn.kind === 'ok' ? null : turn.problem
    } catch (error) {
      return notLocked(this.options.folder, String(error))
    }
  }

  /** Replaces what is kept. Only from inside of a turn. */
  async save(kept: Kept<Own>): Promise<Result<void>> {
    try {
      await replaceDurably(join(this.options.folder, NAME), JSON.stringify({ schema: 1, ...kept }))
      return ok(undefined)
    } catch (error) {
      return failed(routesNotSaved(this.options.folder, String(error)))
    }
  }

  private change(order: Order, hands: Hands<Own>): Promise<Result<void>> {
    return this.inTurn(async (before) => {
      const fenced = fence(before, order)
      if (fenced.kind === 'failed') return fenced
      const prepared = await hands.prepare(
        fenced.value === 'repeat' ? before : changed(before, order, this.options.now()),
      )
      if (prepared.kind === 'failed') return prepared
      const saved = await this.save(prepared.value)
      if (saved.kind === 'failed') return saved
      const applied = await hands.apply(prepared.value)
      if (applied.kind === 'failed' && applied.problem.code === 'ROUTER_REFUSED') await this.save(before)
      return applied
    })
  }

  private async load(): Promise<Result<Kept<Own>>> {
    const path = join(this.options.folder, NAME)
    const { schema, empty } = this.options.own
    try {
      const text = await readFile(path, 'utf8')
      const read = fileOf(schema).safeParse(parseJson(text))
      if (read.success) return ok(read.data)
      // Half a table would send real traffic to the wrong place: refuse to guess, keep the evidence.
      const damaged = `${path}.damaged-${new Date(this.options.now()).toISOString().replaceAll(':', '-')}`
      await rename(path, damaged)
      this.options.log.error('the kept routes cannot be read and were set aside', { damaged })
    } catch (error) {
      if (!isMissing(error)) return failed(notRead(path, String(error)))
    }
    return ok({ services: {}, highestTokens: {}, drains: {}, own: empty })
  }
}

type Order = { service: string; token: FencingToken; routes: ServiceRoutes | null }

/** Older ones, and the same token for something else, are refused. */
function fence({ highestTokens, services }: Kept<unknown>, order: Order): Result<'new' | 'repeat'> {
  const highest = entryOf(highestTokens, order.service)
  if (highest === null) return ok('new')
  const age = compareTokens(order.token, highest)
  if (age > 0) return ok('new')
  if (age < 0) return failed(staleToken(order.service, order.token, highest))
  return sameRoutes(entryOf(services, order.service), order.routes)
    ? ok('repeat')
    : failed(tokenReused(order.service, order.token))
}

function changed<Own>(kept: Kept<Own>, { service, token, routes }: Order, now: number): Kept<Own> {
  const { [service]: _, ...others } = kept.services
  const before = entryOf(kept.services, service)
  const drains = drainsAfter(entryOf(kept.drains, service) ?? [], { before, after: routes, now })
  return {
    ...kept,
    services: routes === null ? others : { ...others, [service]: routes },
    highestTokens: { ...kept.highestTokens, [service]: token },
    drains: { ...kept.drains, [service]: drains },
  }
}

/** The own entry of that name: a service may be called `constructor`. */
export const entryOf = <T>(record: Readonly<Record<string, T>>, name: string): T | null =>
  Object.hasOwn(record, name) ? (record[name] ?? null) : null

const fileOf = <Own>(own: z.ZodType<Own>) =>
  z
    .strictObject({
      schema: z.literal(1),
      services: z.record(z.string(), ServiceRoutes),
      highestTokens: z.record(z.string(), FencingToken),
      drains: z.record(z.string(), z.array(KeptDrain)),
      own,
    })
    .transform(({ schema: _, ...kept }) => kept)

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

const isMissing = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'ENOENT'

const invalid = (service: string, cause: string) =>
  problem('ROUTES_INVALID', {
    message: `The routes of ${service} cannot be used.`,
    cause,
    remedy: 'Report it: this is a bug of whoever made them.',
  })

const notRead = (path: string, cause: string) =>
  problem('ROUTES_NOT_READ', {
    message: `The routes that were kept in ${path} cannot be read. Nothing was changed.`,
    cause,
    remedy: 'Look at the owner of this file and at the disk, then try again.',
    retryable: true,
  })

const notLocked = (folder: string, cause: string) =>
  problem('ROUTER_UNREACHABLE', {
    message: `The routes in ${folder} cannot be kept for one change alone.`,
    cause,
    remedy: 'Look at the owner of this folder and at the disk, then try again.',
    retryable: true,
  })
