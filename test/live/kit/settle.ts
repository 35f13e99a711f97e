import { setTimeout as sleep } from 'node:timers/promises'

const POLL_MS = 20
/** Far above what it takes on a quiet machine: a slow one gets its time, and only what never happens fails. */
const LIMIT_MS = 60_000

/** Thrown by a look that knows that waiting longer is useless. */
export class Hopeless extends Error {}

/**
 * Waits until `look` gives something other than `null`, `undefined` or `false`, with a deadline that names what was waited for.
 * A look that fails is one that found nothing yet: whoever is asked may just be on its way up or down.
 */
export async function eventually<T>(
  what: string,
  look: () => T | Promise<T>,
  limitMs = LIMIT_MS,
  pollMs = POLL_MS,
): Promise<Exclude<T, null | undefined | false>> {
  const deadline = performance.now() + limitMs
  let failure: unknown
  for (;;) {
    try {
      const found = await look()
      if (isThere(found)) return found
      failure = undefined
    } catch (error) {
      if (error instanceof Hopeless) throw error
      failure = error
    }
    if (performance.now() > deadline)
      throw new Error(`waited ${limitMs} ms in vain: ${what}`, { cause: failure })
    await sleep(pollMs)
  }
}

const isThere = <T>(found: T): found is Exclude<T, null | undefined | false> =>
  found !== null && found !== undefined && found !== false
