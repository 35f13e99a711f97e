import { beforeEach, describe, expect, it } from 'vitest'
import type { Actor } from '../core/rollout/reason.ts'
import { ok } from '../core/shared/result.ts'
import type { AppendRequest, Store } from '../ports/store.ts'
import { createStoreFake } from '../testkit/fakes/store.ts'
import { createEngine } from './engine.ts'

const STREAM = 'shop.local'
const ADA: Actor = { kind: 'person', name: 'ada' }
const silent = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
}
const word = (asOf: number) => ({
  kind: 'freeze-seen' as const,
  seen: { freeze: { reason: 'year end', who: 'bob', since: asOf, until: null }, asOf, by: 'bob' },
})
const pause = { kind: 'pause' as const, actor: ADA, note: '' }

let store: Store
let appends: AppendRequest[]
let gate: PromiseWithResolvers<void>

/** An engine whose store writes only when the gate is open. */
function engineOver(epoch: number | null = 1) {
  const told: number[] = []
  const engine = createEngine({
    store: {
      ...store,
      append: async (request) => {
        appends.push(request)
        await gate.promise
        return store.append(request)
      },
    },
    clock: { now: () => 1000, monotonic: () => 1000, sleep: async () => undefined },
    log: silent,
    performer: { perform: () => undefined },
    epochOf: () => epoch,
    installation: 'test',
    onDecided: (_, { revision }) => told.push(revision),
    onFenced: () => undefined,
  })
  return { engine, told }
}

beforeEach(async () => {
  store = createStoreFake().open()
  await store.join({ name: 'one', pid: 1, host: 'here', startedAt: 0 })
  appends = []
  gate = Promise.withResolvers()
})

describe('commands that come while another one is written', () => {
  it('are decided in their order and written together, and each is told its own events and what it led to', async () => {
    const { engine, told } = engineOver(null)
    const first = engine.handle(STREAM, word(1))
    await until(() => appends.length === 1)
    const others = [
      engine.handle(STREAM, word(2)),
      engine.handle(STREAM, pause),
      engine.handle(STREAM, word(3)),
    ]
    gate.resolve()
    const [one, two, refused, three] = await Promise.all([first, ...others])
    expect(appends.map(({ events }) => events.length)).toEqual([1, 2])
    expect(told).toEqual([1, 3])
    expect(one).toMatchObject(ok({ revision: 1 }))
    for (const [answer, revision] of [
      [two, 2],
      [three, 3],
    ])
      expect(answer).toMatchObject({ kind: 'ok', value: { events: [{ kind: 'freeze-began' }], revision } })
    expect(refused).toMatchObject({ kind: 'failed' })
  })

  it('share a failure to write, but a refusal stays a refusal', async () => {
    const { engine } = engineOver(null)
    store.append = async () => ({
      kind: 'failed',
      problem: { code: 'STORE_FULL', message: 'Full.', remedy: 'Make space.', retryable: true },
    })
    const first = engine.handle(STREAM, word(1))
    await until(() => appends.length === 1)
    const others = [engine.handle(STREAM, word(2)), engine.handle(STREAM, pause)]
    gate.resolve()
    const codes = (await Promise.all([first, ...others])).map((answer) =>
      answer.kind === 'failed' ? answer.problem.code : 'ok',
    )
    expect(codes.slice(0, 2)).toEqual(['STORE_FULL', 'STORE_FULL'])
    expect(codes[2]).not.toBe('STORE_FULL')
    expect((await store.load(STREAM)).kind === 'ok' && (await engine.load(STREAM))).toMatchObject(
      ok({ revision: 0 }),
    )
  })

  it('are refused one by one where this controller does not look after the stream', async () => {
    const { engine } = engineOver(null)
    gate.resolve()
    const answers = await Promise.all([
      engine.handle(STREAM, word(1)),
      engine.handle(STREAM, { kind: 'effect-succeeded', effect: 'set-routes 1.1', epoch: 1 }),
    ])
    expect(answers.map(({ kind }) => kind)).toEqual(['ok', 'failed'])
  })

  it('do not suffer for one that cannot be decided because of a bug', async () => {
    const { engine } = engineOver(null)
    gate.resolve()
    const broken = { kind: 'deploy', rollout: null, now: false, wait: true }
    const answers = await Promise.allSettled([
      engine.handle(STREAM, word(1)),
      // @ts-expect-error: a command that nobody can send.
      engine.handle(STREAM, broken),
      engine.handle(STREAM, word(2)),
    ])
    expect(answers.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
  })
})

it('knows of a decision whose write it took for failed, since its answer was lost', async () => {
  const { engine } = engineOver(null)
  gate.resolve()
  await engine.handle(STREAM, word(1))
  const { append } = store
  store.append = async (request) => {
    await append(request)
    const problem = { code: 'STORE_UNREACHABLE', message: 'No answer.', remedy: 'Wait.', retryable: true }
    return { kind: 'failed', problem }
  }
  expect((await engine.handle(STREAM, word(2))).kind).toBe('failed')
  const loaded = await engine.load(STREAM)
  expect(loaded).toMatchObject(ok({ revision: 2, state: { freezeAsOf: 2 } }))
})

async function until(isSo: () => boolean): Promise<void> {
  for (let round = 0; round < 1000 && !isSo(); round += 1)
    await new Promise((resolve) => setImmediate(resolve))
  expect(isSo()).toBe(true)
}
