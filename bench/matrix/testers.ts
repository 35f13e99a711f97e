import { setTimeout as pause } from 'node:timers/promises'

const EVERY_MS = 50
const ANSWER_LIMIT_MS = 10_000

export type TesterCost = { sent: number; lost: number }

/** Somebody who asks again and again for the candidate, by the header of the testers, until `stop`. */
export function startTesters(url: string): { stop(): Promise<TesterCost> } {
  const cost: TesterCost = { sent: 0, lost: 0 }
  const ended = new AbortController()
  const work = (async () => {
    while (!ended.signal.aborted) {
      cost.sent += 1
      if (!(await isAnswered(url))) cost.lost += 1
      await pause(EVERY_MS)
    }
  })()
  return {
    stop: async () => {
      ended.abort()
      await work
      return cost
    },
  }
}

async function isAnswered(url: string): Promise<boolean> {
  try {
    const answer = await fetch(url, {
      headers: { 'x-tester': '1' },
      signal: AbortSignal.timeout(ANSWER_LIMIT_MS),
    })
    await answer.arrayBuffer()
    return answer.status === 200
  } catch {
    return false
  }
}
