import type { Event } from '../core/rollout/event.ts'
import { problem } from '../core/shared/problem.ts'
import type { Result } from '../core/shared/result.ts'
import { failed, ok } from '../core/shared/result.ts'
import { decodeEvent } from '../engine/decode.ts'
import { ROLLOUT_DOCUMENT, ROLLOUT_SPAN_DOCUMENT, RolloutRecord, RolloutSpan } from '../engine/record.ts'
import type { OperationContext } from './context.ts'

/** A day of one look a second, and some more. */
const EVENT_LIMIT = 100_000
const PAGE = 1000

export type NumberedEvent = { sequence: number; event: Event }

export async function loadRollout(
  context: OperationContext,
  id: string,
): Promise<Result<{ record: RolloutRecord; stream: string; firstSequence: number }>> {
  const document = await context.store.getDocument(ROLLOUT_DOCUMENT, id)
  if (document.kind === 'failed') return document
  const span = await context.store.getDocument(ROLLOUT_SPAN_DOCUMENT, id)
  if (span.kind === 'failed') return span
  const record = RolloutRecord.safeParse(document.value?.body)
  const first = RolloutSpan.safeParse(span.value?.body)
  if (document.value !== null && record.success && first.success)
    return ok({ record: record.data, stream: document.value.stream, firstSequence: first.data.firstSequence })
  return failed(
    problem('ROLLOUT_NOT_FOUND', {
      message: `There is no rollout ${id}.`,
      remedy: 'See "sluice history" for the ids.',
    }),
  )
}

/** The events of one rollout, clean-up included: from its start to the start of the next one. */
export async function rolloutEvents(
  context: OperationContext,
  { stream, firstSequence }: { stream: string; firstSequence: number },
): Promise<Result<NumberedEvent[]>> {
  const found: NumberedEvent[] = []
  let after = firstSequence - 1
  while (found.length < EVENT_LIMIT) {
    const page = await context.store.events({ stream, after, limit: PAGE })
    if (page.kind === 'failed') return page
    for (const stored of page.value) {
      const event = decodeEvent(stored)
      if (event.kind === 'failed') return event
      if (event.value.kind === 'rollout-started' && stored.sequence !== firstSequence) return ok(found)
      found.push({ sequence: stored.sequence, event: event.value })
    }
    if (page.value.length < PAGE) return ok(found)
    after = page.value.at(-1)?.sequence ?? after
  }
  return ok(found)
}
