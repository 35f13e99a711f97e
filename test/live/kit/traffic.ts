import { setTimeout as sleep } from 'node:timers/promises'
import { expect, onTestFinished } from 'vitest'
import { type Load, startLoad } from '../../../src/testkit/load/load.ts'
import type { LoadStats } from '../../../src/testkit/load/tally.ts'
import { startWebSockets, type WebSocketStats } from '../../../src/testkit/load/websockets.ts'
import type { Stack } from './stack.ts'

const ASK_EVERY_MS = 20

export type Traffic = { load: Load; stop(): Promise<{ requests: LoadStats; webSockets: WebSocketStats }> }

/** Users: half on kept connections, half on new ones, a tenth of their requests takes 2 s, and WebSockets that talk all the time. */
export async function startTraffic(
  stack: Stack,
  {
    ratePerSecond = 60,
    webSockets = 4,
    slow = 1,
    connections = 'both',
  }: { ratePerSecond?: number; webSockets?: number; slow?: number; connections?: 'both' | 'fresh' } = {},
): Promise<Traffic> {
  const mix = [
    { method: 'GET', path: '/', share: 10 - slow },
    { method: 'GET', path: '/slow', share: slow },
  ]
  const sockets = startWebSockets({ url: stack.webSocketUrl, count: webSockets, intervalMs: 200 })
  await sockets.ready
  // Whoever stands still for seconds, this process too, is no loss: what is due then is sent all the same.
  const limits = { timeoutMs: 30_000, maxInFlight: 10_000 }
  const load = startLoad({ url: stack.url, ratePerSecond, connections, mix, ...limits })
  return {
    load,
    stop: async () => {
      const requests = await load.stop()
      return { requests, webSockets: await sockets.stop() }
    },
  }
}

/** One user who asks again and again, whatever the answer, until the test ends: enough for a canary to be judged. */
export function keepAsking(stack: Stack): void {
  let isOver = false
  onTestFinished(() => {
    isOver = true
  })
  async function ask(): Promise<void> {
    while (!isOver) {
      await stack.get('/').catch(() => undefined)
      await sleep(ASK_EVERY_MS)
    }
  }
  void ask()
}

/** Nobody noticed anything. */
export function expectNothingLost({ requests, webSockets }: Awaited<ReturnType<Traffic['stop']>>): void {
  expect(requests.lost).toEqual({ count: 0, byKind: {}, samples: [] })
  expect(requests.notSent).toBe(0)
  expect(requests.answered).toBe(requests.sent)
  expect(webSockets).toMatchObject({ failedToOpen: 0, wrongEchoes: 0, unexpectedCloses: 0 })
}
