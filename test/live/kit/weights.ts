import { setTimeout as sleep } from 'node:timers/promises'
import type { Stack } from './stack.ts'

const LOOK_EVERY_MS = 30

/** Writes down each share the data plane really gives a version, as often as it changes; a data plane that is away is no news. */
export function watchWeights(stack: Stack, version: string): { stop(): Promise<number[]> } {
  const seen: number[] = []
  let isOver = false
  async function look(): Promise<void> {
    while (!isOver) {
      const state = await stack.router().catch(() => null)
      const weight =
        state?.sets.find((set) => set.version === version)?.weightPermille ??
        (state === null ? seen.at(-1) : 0)
      if (weight !== undefined && weight !== seen.at(-1)) seen.push(weight)
      await sleep(LOOK_EVERY_MS)
    }
  }
  const looking = look()
  return {
    stop: async () => {
      isOver = true
      await looking
      return seen
    },
  }
}
