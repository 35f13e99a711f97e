import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { anyJson, damaged } from '../testkit/damage.test.kit.ts'
import type { StoreRow } from './store.ts'
import { createRowCheck } from './store-rows.ts'

const text = { type: 'x', timestamp: 't', severity: 'info' as const, summary: 's', data: {} }
const SOUND: StoreRow[] = [
  { row: 'stream', stream: 's', epoch: 1, revision: 3, schemaVersion: 2, state: { a: [1] }, due: null },
  { row: 'event', stream: 's', sequence: 2, at: 1, kind: 'k', event: { b: 1 } },
  { row: 'event', stream: 's', sequence: 3, at: 1, kind: 'k', event: null },
  { row: 'document', kind: 'release', id: 'r', stream: 's', at: 1, body: {} },
  {
    row: 'message',
    channel: 'c',
    key: 'k',
    stream: 's',
    message: text,
    state: 'pending',
    attempts: 0,
    notBefore: 1,
    lastError: null,
  },
]

const complaints = (rows: readonly unknown[]): string[] => {
  const check = createRowCheck()
  const taken = rows.map((row) => check.take(row))
  return [...taken, check.end()].flatMap((one) => (one.kind === 'wrong' ? [one.complaint] : []))
}

describe('the rows of a copy', () => {
  it('fit together as they were written', () => {
    expect(complaints(SOUND)).toEqual([])
  })

  it('are complained about in words when they are damaged, and never break the reader', () => {
    fc.assert(
      fc.property(fc.oneof(damaged(SOUND), fc.array(anyJson)), (rows) => {
        for (const complaint of complaints(Array.isArray(rows) ? rows : [rows]))
          expect(complaint).not.toBe('')
      }),
      { numRuns: 200 },
    )
  })

  it('are all needed: each one that is missing or doubled shows, but for documents and messages, which stand alone', () => {
    for (const [index, row] of SOUND.entries()) {
      const alone = row.row === 'document' || row.row === 'message'
      const first = row.row === 'event' && row.sequence === 2
      // The first event of a history that was pruned may be any.
      expect(complaints(SOUND.toSpliced(index, 1)).length > 0).toBe(!alone && !first)
      expect(complaints([...SOUND, row]).length).toBeGreaterThan(0)
    }
  })
})
