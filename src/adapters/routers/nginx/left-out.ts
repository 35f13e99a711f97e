import { type Problem, problem } from '../../../core/shared/problem.ts'
import type { Own } from './kept.ts'
import type { Served } from './service.ts'

/**
 * Which of the services whose key does not fit are not served. One that is served keeps its certificate, and holds up
 * changes of the others; one that is not does not keep them from being served.
 */
export function leftOutOf(
  misfits: readonly string[],
  { own, isRunning, now }: { own: Own; isRunning: boolean; now: readonly Served[] },
): string[] {
  // Where nobody can tell what a running nginx serves, nothing is taken away from it.
  const isUnknown = isRunning && now.length === 0
  const isServed = (name: string): boolean =>
    isUnknown ? !own.leftOut.includes(name) : now.some(({ routes }) => routes.service === name)
  return misfits.filter((name) => !isServed(name))
}

/** In other words than those of nginx, where it is a key that it refuses. */
export function inWordsOfKeys(refused: Problem, misfits: ReadonlyMap<string, Problem>): Problem {
  const [first] = misfits
  return refused.code === 'ROUTER_REFUSED' && first !== undefined ? keptFromChanges(...first) : refused
}

/** The code says that nothing was changed. */
const keptFromChanges = (service: string, { message }: Problem): Problem =>
  problem('ROUTER_REFUSED', {
    message: `nginx reads all private keys with each change, and that of ${service} does not fit the certificate in use. It goes on as before.`,
    cause: message,
    remedy: 'Put the certificate and the key there that belong together; then changes go on by themselves.',
    retryable: true,
  })

/** Not served at all, while the others are. */
export const keptFromServing = (service: string, { code, message, remedy }: Problem): Problem =>
  problem(code, {
    message: `nginx cannot serve ${service}, and serves the others without it. ${message}`,
    remedy,
    retryable: true,
  })
