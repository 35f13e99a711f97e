import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { anyJson, damaged } from '../../../testkit/damage.test.kit.ts'
import { DamagedRowError, readDocument, readEvent, readLease, readMessage, readStream } from './rows.ts'

const message = '{"type":"x","timestamp":"t","severity":"info","summary":"s","data":{}}'

describe.each<[string, (row: unknown) => unknown, object]>([
  [
    'stream',
    readStream,
    { stream: 's', revision: 3, schema_version: 2, state_revision: null, state: '{"a":1}', due: null },
  ],
  ['event', readEvent, { stream: 's', sequence: 2, at: 1, kind: 'k', event: '[1]' }],
  ['document', readDocument, { kind: 'release', id: 'r', stream: 's', at: 1, body: '{}' }],
  [
    'message',
    readMessage,
    {
      channel: 'c',
      key: 'k',
      stream: 's',
      message,
      state: 'dead',
      attempts: 0,
      not_before: 1,
      last_error: null,
    },
  ],
  [
    'lease',
    readLease,
    {
      stream: 's',
      epoch: 4,
      controller: '{"name":"a","pid":1,"startedAt":1,"host":"h"}',
      until: 5,
    },
  ],
])('a row of %s', (_, read, sound) => {
  it('is read as it was written', () => {
    expect(read(sound)).toBeDefined()
  })

  it('is read or refused as damaged, whatever is in it', () => {
    fc.assert(
      fc.property(fc.oneof(damaged(sound), anyJson), (row) => {
        try {
          expect(read(row)).toBeTypeOf('object')
        } catch (error) {
          expect(error).toBeInstanceOf(DamagedRowError)
        }
      }),
      { numRuns: 100 },
    )
  })
})
