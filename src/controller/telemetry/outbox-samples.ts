import type { Store } from '../../ports/store.ts'
import { type Sample, sample } from '../../telemetry/sample.ts'

/** A scrape must stay cheap however long the history of messages is. */
const LOOKED_AT = 1000

/** What waits and what was given up. Without an answer of the store there is no number: none is not the same as zero. */
export async function outboxSamples(store: Pick<Store, 'listMessages'>, now: number): Promise<Sample[]> {
  const listed = await store.listMessages(LOOKED_AT)
  if (listed.kind === 'failed') return []
  const waiting = listed.value.filter(({ state }) => state === 'pending')
  const ages = waiting.map(({ message }) => (now - Date.parse(message.timestamp)) / 1000)
  return [
    sample('sluice_outbox_waiting', {}, waiting.length),
    sample('sluice_outbox_oldest_seconds', {}, Math.max(0, ...ages)),
    sample('sluice_outbox_failed', {}, listed.value.filter(({ state }) => state === 'dead').length),
  ]
}
