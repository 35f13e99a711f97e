/** So long a question waits for others, if the last one was asked as lately; the first one never waits. */
const GATHER_MS = 5
/** Questions that one statement answers. */
const MOST_AT_ONCE = 500

type Waiting<K, V> = { key: K; answer: PromiseWithResolvers<V> }

/**
 * Many small questions at nearly the same time become one statement. A statement is sent only after all that it answers were
 * asked, so an answer is never older than its question. `ask` answers in the order of the keys.
 */
export function createGatherer<K, V>(ask: (keys: readonly K[]) => Promise<readonly V[]>) {
  let waiting: Waiting<K, V>[] = []
  let askedAt = Number.NEGATIVE_INFINITY
  let planned = false

  async function send(): Promise<void> {
    planned = false
    askedAt = performance.now()
    const group = waiting.slice(0, MOST_AT_ONCE)
    waiting = waiting.slice(MOST_AT_ONCE)
    if (waiting.length > 0) plan(0)
    try {
      const values = await ask(group.map(({ key }) => key))
      for (const [index, { answer }] of group.entries()) {
        const value = values[index]
        if (value === undefined) answer.reject(new Error('a question has no answer'))
        else answer.resolve(value)
      }
    } catch (error) {
      for (const { answer } of group) answer.reject(error)
    }
  }

  function plan(ms: number): void {
    if (planned) return
    planned = true
    setTimeout(() => void send(), ms)
  }

  return (key: K): Promise<V> => {
    const answer = Promise.withResolvers<V>()
    waiting.push({ key, answer })
    const since = performance.now() - askedAt
    if (since >= GATHER_MS && !planned) void send()
    else plan(Math.max(0, GATHER_MS - since))
    return answer.promise
  }
}
