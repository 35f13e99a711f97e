import { readFileSync } from 'node:fs'
import path from 'node:path'
import { gunzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { newServiceState, STATE_SCHEMA_VERSION } from '../core/rollout/state.ts'
import { anyJson, damaged } from '../testkit/damage.test.kit.ts'
import { decodeEvent, decodeStream } from './decode.ts'

const { stored, events } = JSON.parse(
  gunzipSync(readFileSync(path.join(import.meta.dirname, 'fixtures', 'state-1.json.gz'))).toString(),
)
const versions = fc.oneof(fc.integer({ min: -1, max: STATE_SCHEMA_VERSION + 2 }), fc.constant(1.5))
const RUNS = { numRuns: 100 }

describe('whatever is in the store', () => {
  it.each([
    ['of format 1', stored.state],
    ['of today', newServiceState('shop.local')],
  ])('a state %s is read as a whole or refused by name', (_, sound) => {
    fc.assert(
      fc.property(fc.oneof(damaged(sound), anyJson), versions, (state, schemaVersion) => {
        const row = { stream: 'shop.local', revision: 7, schemaVersion, state, due: null }
        const decoded = decodeStream('shop.local', row)
        if (decoded.kind === 'failed') {
          expect(decoded.problem.code).toMatch(/^STATE_(CORRUPT|NEWER_FORMAT)$/)
          expect(decoded.problem.message).toContain('shop.local')
          return
        }
        const again = { ...row, schemaVersion: STATE_SCHEMA_VERSION, state: decoded.value.state }
        expect(decodeStream('shop.local', again)).toEqual({ kind: 'ok', value: decoded.value })
      }),
      RUNS,
    )
  })

  it('an event is read as a whole or refused by number and name', () => {
    const event = fc.oneof(
      anyJson,
      fc.nat(events.length - 1).chain((at) => damaged(events[at].event)),
    )
    fc.assert(
      fc.property(event, (content) => {
        const row = { stream: 'shop.local', sequence: 4711, at: 1, kind: 'x', event: content }
        const decoded = decodeEvent(row)
        if (decoded.kind === 'ok') expect(decodeEvent({ ...row, event: decoded.value })).toEqual(decoded)
        else expect(decoded.problem.message).toContain('Event 4711 of shop.local')
      }),
      RUNS,
    )
  })
})
