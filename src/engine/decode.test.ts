import { readFileSync } from 'node:fs'
import path from 'node:path'
import { gunzipSync } from 'node:zlib'
import { expect, it } from 'vitest'
import * as z from 'zod'
import { decide } from '../core/rollout/decide.ts'
import { STATE_SCHEMA_VERSION } from '../core/rollout/state.ts'
import { decodeEvent, decodeStream } from './decode.ts'

const Stored = z.object({
  stream: z.string(),
  revision: z.int(),
  schemaVersion: z.int(),
  state: z.unknown(),
  due: z.number().nullable(),
})
const StoredEvent = z.object({
  stream: z.string(),
  sequence: z.int(),
  at: z.number(),
  kind: z.string(),
  event: z.unknown(),
})
const Fixture = z.object({ stored: Stored, events: z.array(StoredEvent) })

/** A canary at 25%, as the version before wrote it. */
const fixture = (version: number) =>
  Fixture.parse(
    JSON.parse(
      gunzipSync(
        readFileSync(path.join(import.meta.dirname, 'fixtures', `state-${version}.json.gz`)),
      ).toString(),
    ),
  )
const OLDER = Array.from({ length: STATE_SCHEMA_VERSION - 1 }, (_, n) => n + 1)

it.each(OLDER)('reads what format %i wrote, events and state, and goes on from there', (version) => {
  const { stored, events } = fixture(version)
  expect(stored.schemaVersion).toBe(version)
  for (const event of events) expect(decodeEvent(event)).toMatchObject({ kind: 'ok' })

  const decoded = decodeStream(stored.stream, stored)
  expect(decoded).toMatchObject({
    kind: 'ok',
    value: { revision: stored.revision, state: { schemaVersion: STATE_SCHEMA_VERSION } },
  })
  if (decoded.kind === 'failed') return
  const begun = decide(
    decoded.value.state,
    { kind: 'controller-started', epoch: 99 },
    (stored.due ?? 0) + 60_000,
  )
  expect(begun.kind).toBe('ok')
  expect(decoded.value.state.rollout?.phase.kind).toBe('running')
})

it('refuses a newer format and names both versions', () => {
  const { stored } = fixture(1)
  const refused = decodeStream(stored.stream, { ...stored, schemaVersion: STATE_SCHEMA_VERSION + 1 })
  expect(refused).toMatchObject({ kind: 'failed', problem: { code: 'STATE_NEWER_FORMAT' } })
})

it.each([
  ['nothing', null],
  ['a number', 7],
  ['a list', []],
  ['an empty object', {}],
  ['sets that are none', { sets: 'x' }],
  ['sets of nothing', { sets: [null, 1, []] }],
])('refuses a state that is %s in every format, and does not throw', (_, state) => {
  for (const schemaVersion of [0, -1, 1.5, ...OLDER, STATE_SCHEMA_VERSION]) {
    const refused = decodeStream('shop.local', { ...fixture(1).stored, schemaVersion, state })
    expect(refused).toMatchObject({ kind: 'failed', problem: { code: 'STATE_CORRUPT' } })
  }
})
