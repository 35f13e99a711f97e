import type { Result } from '../../../core/shared/result.ts'
import { ok } from '../../../core/shared/result.ts'
import type { AppendRequest } from '../../../ports/store.ts'
import { append } from './append.ts'
import { type Handle, write } from './owner.ts'

/** A transaction blocks the process, so one of very many appends would hold up everything else. */
const MOST_AT_ONCE = 100

type Appended = Result<{ revision: number }>
type Waiting = { request: AppendRequest; answer: PromiseWithResolvers<Appended> }

export type AppendGroup = {
  add(request: AppendRequest): Promise<Appended>
  /** Writes what waits, now. */
  flush(): void
}

/**
 * Appends that are asked for in the same turn of the event loop share one transaction and so one sync. Each is answered
 * after the commit. One that is refused has written nothing; when the whole fails, each is tried by itself, so that none
 * suffers for another.
 */
export function createAppendGroup(handle: Handle): AppendGroup {
  let waiting: Waiting[] = []

  function flush(): void {
    const group = waiting.slice(0, MOST_AT_ONCE)
    waiting = waiting.slice(MOST_AT_ONCE)
    if (waiting.length > 0) setImmediate(flush)
    answerAll(handle, group)
  }

  return {
    add: (request) => {
      const answer = Promise.withResolvers<Appended>()
      if (waiting.length === 0) setImmediate(flush)
      waiting.push({ request, answer })
      return answer.promise
    },
    flush: () => {
      while (waiting.length > 0) flush()
    },
  }
}

function answerAll(handle: Handle, group: readonly Waiting[]): void {
  if (group.length === 0) return
  const done = attempt(handle, group)
  if (done === null) for (const one of group) answerAll(handle, [one])
  else for (const [index, { answer }] of group.entries()) done(index, answer)
}

type Answering = (index: number, answer: Waiting['answer']) => void

/** `null`: it failed as a whole and is worth trying one by one. */
function attempt(handle: Handle, group: readonly Waiting[]): Answering | null {
  try {
    const written = write(handle, (owner) => ok(group.map(({ request }) => append(owner, request))))
    if (written.kind === 'failed') return group.length > 1 ? null : (_, answer) => answer.resolve(written)
    return (index, answer) => answer.resolve(written.value[index] ?? neverAsked())
  } catch (error) {
    return group.length > 1 ? null : (_, answer) => answer.reject(error)
  }
}

function neverAsked(): never {
  throw new Error('an append has no answer')
}
