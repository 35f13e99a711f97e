import { setTimeout as sleep } from 'node:timers/promises'
import { pickEntry, SHOP_MIX } from '../../../src/testkit/load/mix.ts'
import { StrictAgent, sendRequest } from '../../../src/testkit/load/request.ts'
import type { Outcome } from '../../../src/testkit/load/tally.ts'

const EVERY_MS = 40
const TIMEOUT_MS = 20_000

/** One request of a customer: when it was sent, when its answer was complete, and what came of it. Times are Unix ms. */
export type Visit = { sentAt: number; endedAt: number; outcome: Outcome }

export type Customers = { visits: readonly Visit[]; leave(): Promise<void> }

/** Customers of the shop: they come at fixed times, whatever the answers do, and each visit is written down. */
export function letCustomersIn(address: string): Customers {
  const url = new URL(address)
  const agent = new StrictAgent()
  const visits: Visit[] = []
  const waiting = new Set<Promise<void>>()
  let isOver = false
  async function visit(number: number): Promise<void> {
    const sentAt = Date.now()
    const entry = pickEntry(SHOP_MIX, Math.random())
    const scheduledAtMs = performance.now()
    const outcome = await sendRequest({
      url,
      entry,
      agent,
      id: `visit-${number}`,
      scheduledAtMs,
      timeoutMs: TIMEOUT_MS,
      versionHeader: 'x-shop-version',
      slowUploadMs: 0,
    })
    visits.push({ sentAt, endedAt: Date.now(), outcome })
  }
  async function open(): Promise<void> {
    for (let number = 0; !isOver; number += 1) {
      const going = visit(number).finally(() => waiting.delete(going))
      waiting.add(going)
      await sleep(EVERY_MS)
    }
  }
  const opened = open()
  return {
    visits,
    leave: async () => {
      isOver = true
      await opened
      await Promise.all(waiting)
      agent.destroy()
    },
  }
}
