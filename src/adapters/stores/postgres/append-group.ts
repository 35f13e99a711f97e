import { ok, type Result } from '../../../core/shared/result.ts'
import type { AppendRequest } from '../../../ports/store.ts'

/** With two, one is on its way while the server works on the other. */
const MOST_UNDER_WAY = 2
/** A state has about ten kilobytes, and a statement should not have many megabytes. */
const MOST_AT_ONCE = 100

type Waiting = { session: string; request: AppendRequest; answer: PromiseWithResolvers<Result<boolean>> }
type Write = (session: string, requests: readonly AppendRequest[]) => Promise<Result<boolean[]>>

/**
 * Appends that are asked for while others are under way go together in the next statement; one that comes alone never waits.
 * When a group fails as a whole, each is answered with `false`, so that it is tried by itself and none suffers for another;
 * but when nobody knows whether it was written, all are told.
 *
 * @param write answers for each request whether it was written. The requests of one group are of one session and of different streams.
 */
export function createAppendGroup(write: Write) {
  let waiting: Waiting[] = []
  let underWay = 0

  async function send(session: string, group: readonly Waiting[]): Promise<void> {
    underWay += 1
    try {
      const written = await write(
        session,
        group.map(({ request }) => request),
      )
      for (const [index, { answer }] of group.entries())
        answer.resolve(written.kind === 'failed' ? written : ok(written.value[index] ?? false))
    } catch (error) {
      const alone = group.length === 1
      for (const { answer } of group) alone ? answer.reject(error) : answer.resolve(ok(false))
    }
    underWay -= 1
    next()
  }

  function next(): void {
    const [first] = waiting
    if (first === undefined || underWay >= MOST_UNDER_WAY) return
    const { group, rest } = fitting(first.session, waiting)
    waiting = rest
    void send(first.session, group)
  }

  return (session: string, request: AppendRequest): Promise<Result<boolean>> => {
    const answer = Promise.withResolvers<Result<boolean>>()
    waiting.push({ session, request, answer })
    next()
    return answer.promise
  }
}

/** Of this session, and the first of each stream: the next one builds on it. */
function fitting(session: string, waiting: readonly Waiting[]): { group: Waiting[]; rest: Waiting[] } {
  const group = new Map<string, Waiting>()
  const rest: Waiting[] = []
  for (const one of waiting) {
    const { stream } = one.request
    if (one.session === session && group.size < MOST_AT_ONCE && !group.has(stream)) group.set(stream, one)
    else rest.push(one)
  }
  return { group: [...group.values()], rest }
}
