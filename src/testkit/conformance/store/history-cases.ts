import fc from 'fast-check'
import { expect, it } from 'vitest'
import { RELEASE_DOCUMENT } from '../../../engine/effects.ts'
import { forgetOld, KEPT_DAYS, KEPT_ROLLOUTS, type Needed } from '../../../engine/history.ts'
import { ROLLOUT_DOCUMENT, ROLLOUT_SPAN_DOCUMENT } from '../../../engine/record.ts'
import type { Store, StoredDocument } from '../../../ports/store.ts'
import { append, type Context, message, valueIn } from './kit.ts'

const DAY_MS = 24 * 3_600_000
const NOW = Date.UTC(2026, 10, 21)
const RUNS = 4

/** Rollouts from old to new: their ages in days fall, each has some events. */
const History = fc.record({
  rollouts: fc.array(
    fc.record({
      days: fc.nat(4 * KEPT_DAYS).filter((days) => days !== KEPT_DAYS),
      events: fc.integer({ min: 1, max: 60 }),
    }),
    {
      minLength: 1,
      maxLength: KEPT_ROLLOUTS + 40,
    },
  ),
  unfinished: fc.nat(KEPT_ROLLOUTS + 40),
  used: fc.array(fc.nat(KEPT_ROLLOUTS + 40), { maxLength: 3 }),
})
type History = { rollouts: { days: number; events: number }[]; unfinished: number; used: number[] }

export function historyCases(context: Context): void {
  it('history that is removed is never what a rollback, a rollout or a message needs', async () => {
    let round = 0
    await fc.assert(
      fc.asyncProperty(History, async (history) => {
        round += 1
        await checkOne(context.store, `shop-${round}`, history)
      }),
      { numRuns: RUNS },
    )
  })
}

async function checkOne(
  store: Store,
  stream: string,
  { rollouts, unfinished, used }: History,
): Promise<void> {
  const written = await write(
    store,
    stream,
    rollouts.toSorted((a, b) => b.days - a.days),
  )
  const pick = (n: number) => written.spans[n % written.spans.length]?.id ?? ''
  const mine: Needed = { rollouts: [pick(unfinished)], releases: used.map((n) => `release-${pick(n)}`) }
  const needed = async (one: string) => {
    const revision = valueIn(await store.load(one))?.revision ?? 0
    return {
      kind: 'ok' as const,
      value: { rollouts: [], releases: [], ...(one === stream ? mine : {}), revision },
    }
  }
  const parts = { store, needed, passing: [{ kind: 'plan', afterMs: 7 * DAY_MS }], now: NOW }
  valueIn(await forgetOld(parts))
  await expectKept(store, { stream, mine, written })
  const before = await left(store, stream)
  expect(valueIn(await forgetOld(parts))).toEqual({ events: 0, messages: 0, documents: 0 })
  expect(await left(store, stream)).toEqual(before)
}

type Written = { spans: { id: string; first: number; days: number }[]; revision: number }

async function write(store: Store, stream: string, rollouts: History['rollouts']): Promise<Written> {
  const spans: Written['spans'] = []
  let revision = 0
  for (const [index, { days, events }] of rollouts.entries()) {
    const id = `${stream}-${index}`
    const at = NOW - days * DAY_MS - (rollouts.length - index)
    spans.push({ id, first: revision + 1, days })
    const of = (kind: string, body: unknown, name = id): StoredDocument => ({
      kind,
      id: name,
      stream,
      at,
      body,
    })
    const documents = [
      of(ROLLOUT_SPAN_DOCUMENT, { firstSequence: revision + 1 }),
      of(ROLLOUT_DOCUMENT, {}),
      of(RELEASE_DOCUMENT, {}, `release-${id}`),
      of('plan', {}),
    ]
    const noted = Array.from({ length: events }, () => ({ kind: 'noted', event: {} }))
    const messages = index === 0 ? [message(`waits-${stream}`)] : []
    const request = { stream, expectedRevision: revision, at, events: noted, documents, messages }
    revision = valueIn(await append(store, request)).revision
  }
  return { spans, revision }
}

async function expectKept(
  store: Store,
  { stream, mine, written }: { stream: string; mine: Needed; written: Written },
): Promise<void> {
  const { documents, sequences, messages } = await left(store, stream)
  const kept = written.spans.filter(
    ({ id, days }, index) =>
      index >= written.spans.length - KEPT_ROLLOUTS || days < KEPT_DAYS || mine.rollouts.includes(id),
  )
  for (const { id } of kept) expect(documents).toContain(`${ROLLOUT_DOCUMENT} ${id}`)
  for (const id of mine.releases) expect(documents).toContain(`${RELEASE_DOCUMENT} ${id}`)
  const first = Math.min(...kept.map((span) => span.first))
  const tail = Array.from({ length: written.revision - first + 1 }, (_, index) => first + index)
  expect(sequences.slice(-tail.length)).toEqual(tail)
  expect(messages).toContain(`waits-${stream}`)
  const spansLeft = documents.filter((one) => one.startsWith(`${ROLLOUT_SPAN_DOCUMENT} `))
  expect(spansLeft).toHaveLength(kept.length)
}

async function left(store: Store, stream: string) {
  const documents: string[] = []
  for (const kind of [ROLLOUT_DOCUMENT, ROLLOUT_SPAN_DOCUMENT, RELEASE_DOCUMENT, 'plan'])
    for (const { id } of valueIn(await store.listDocuments({ kind, stream, limit: 1000 })))
      documents.push(`${kind} ${id}`)
  const events = valueIn(await store.events({ stream, after: 0, limit: 100_000 }))
  const messages = valueIn(await store.listMessages(1000))
  return {
    documents,
    sequences: events.map(({ sequence }) => sequence),
    messages: messages.map(({ key }) => key),
  }
}
