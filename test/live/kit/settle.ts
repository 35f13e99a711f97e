import { setTimeout as sleep } from 'node:timers/promises'

const POLL_MS = 20

/** Waits until `look` gives something other than `null`, `undefined` or `false`, with a deadline that names what was waited for. */
export async function eventually<T>(
  what: string,
  look: () => T | Promise<T>,
  limitMs = 20_000,
): Promise<Exclude<T, null | undefined | false>> {
  const deadline = performance.now() + limitMs
  for (;;) {
    const found = await look()
    if (isThere(found)) return found
    if (performance.now() > deadline) throw new Error(`waited ${limitMs} ms in vain: ${what}`)
    await sleep(POLL_MS)
  }
}

const isThere = <T>(found: T): found is Exclude<T, null | undefined | false> =>
  found !== null && found !== undefined && found !== false
