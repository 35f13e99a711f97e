import { expect, it } from 'vitest'
import { newServiceState, STATE_SCHEMA_VERSION } from '../core/rollout/state.ts'
import type { Store } from '../ports/store.ts'
import { createStoreFake } from '../testkit/fakes/store.ts'
import { createStates } from './states.ts'

const STREAM = 'shop.local'
const began = (epoch: number) => ({
  kind: 'controller-started',
  event: { kind: 'controller-started', at: epoch, epoch, method: 2 },
})

/** A stream whose stored state is of its first event, and two more that are not in it. */
async function storeBehind(shared: boolean): Promise<Store> {
  const store = createStoreFake({ shared }).open()
  await store.join({ name: 'ada', pid: 1, host: 'here', startedAt: 1 })
  const base = { stream: STREAM, epoch: null, at: 1, schemaVersion: STATE_SCHEMA_VERSION, due: null }
  const rest = { ...base, messages: [], documents: [], state: { ...newServiceState(STREAM), epoch: 1 } }
  await store.append({ ...rest, expectedRevision: 0, events: [began(1)] })
  await store.append({ ...rest, expectedRevision: 1, events: [began(2), began(3)], snapshot: false })
  return store
}

it('folds what happened since into the state that is stored', async () => {
  const states = createStates(await storeBehind(true))
  expect(await states.load(STREAM)).toMatchObject({
    kind: 'ok',
    value: { state: { epoch: 3 }, revision: 3, stateRevision: 1 },
  })
})

it('reads again when events went that a newer state has made needless', async () => {
  const store = await storeBehind(true)
  let asked = 0
  const states = createStates({
    shared: true,
    load: store.load,
    events: async (request) => {
      asked += 1
      return asked === 1 ? { kind: 'ok', value: [] } : store.events(request)
    },
  })
  expect(await states.load(STREAM)).toMatchObject({ kind: 'ok', value: { state: { epoch: 3 } } })
})

it('refuses a state whose later events are gone, by name', async () => {
  const store = await storeBehind(true)
  const states = createStates({ ...store, events: async () => ({ kind: 'ok', value: [] }) })
  expect(await states.load(STREAM)).toMatchObject({
    kind: 'failed',
    problem: { code: 'STATE_CORRUPT', cause: expect.stringContaining('revision 1') },
  })
})

it('refuses an event that cannot be read instead of leaving it out', async () => {
  const store = await storeBehind(true)
  const states = createStates({
    ...store,
    events: async () => ({
      kind: 'ok',
      value: [2, 3].map((sequence) => ({ stream: STREAM, sequence, at: 1, kind: 'x', event: { kind: 'x' } })),
    }),
  })
  expect(await states.load(STREAM)).toMatchObject({ problem: { code: 'STATE_CORRUPT' } })
})

it.each([
  [true, 2],
  [false, 1],
])('asks a store that others write to (%s) at every load, and no other', async (shared, times) => {
  const store = await storeBehind(shared)
  let asked = 0
  const load: Store['load'] = (...of) => {
    asked += 1
    return store.load(...of)
  }
  const states = createStates({ ...store, load })
  const first = await states.load(STREAM)
  expect(await states.load(STREAM)).toEqual(first)
  expect(asked).toBe(times)
  states.forget(STREAM)
  await states.load(STREAM)
  expect(asked).toBe(times + 1)
})
