import type { Command } from '../core/rollout/command.ts'
import type { Result } from '../core/shared/result.ts'

/** A command and who waits for its answer. */
export type Asked<T> = {
  command: Command
  resolve(result: Result<T>): void
  reject(error: unknown): void
}

/** Commands that wait for their stream, in the order in which they came. */
export function createCommandQueue<T>() {
  const waiting = new Map<string, Asked<T>[]>()
  return {
    add: (stream: string, command: Command): Promise<Result<T>> => {
      const { promise, resolve, reject } = Promise.withResolvers<Result<T>>()
      const before = waiting.get(stream) ?? []
      before.push({ command, resolve, reject })
      waiting.set(stream, before)
      return promise
    },
    /** The first of them, which wait no longer. */
    take: (stream: string, limit: number): Asked<T>[] => {
      const before = waiting.get(stream) ?? []
      const taken = before.splice(0, limit)
      if (before.length === 0) waiting.delete(stream)
      return taken
    },
  }
}
