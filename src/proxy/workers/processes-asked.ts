import { availableParallelism } from 'node:os'
import { ProblemError, problem } from '../../core/shared/problem.ts'
import { MOST_PROXY_WORKERS, parseProxyWorkers, proxyProcesses } from '../../core/shared/proxy-workers.ts'

/** How many processes serve together, as the words of `--workers` say. */
export function processesAsked(words: string): number {
  const asked = parseProxyWorkers(words)
  if (asked !== null) return proxyProcesses(asked, availableParallelism())
  throw new ProblemError(
    problem('PROXY_ARGUMENTS', {
      message: `--workers says "${words}", which is neither auto nor a number from 1 to ${MOST_PROXY_WORKERS}.`,
      remedy: 'Write --workers auto for one on each core, or how many.',
    }),
  )
}
