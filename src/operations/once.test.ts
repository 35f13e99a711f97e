import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { serviceView } from '../core/rollout/view/service-view.ts'
import type { Result } from '../core/shared/result.ts'
import { ok } from '../core/shared/result.ts'
import { createStreamLock } from '../engine/stream-lock.ts'
import type { StoredDocument } from '../ports/store.ts'
import { createWorld, isOver } from '../testkit/simulator/world.ts'
import type { Answer, Attempt, OnceContext, Request } from './once.ts'
import { once } from './once.ts'

type World = ReturnType<typeof createWorld>

/** A store of documents that survives everything, and a service in virtual time. */
function scene(world: World = createWorld()) {
  const documents = new Map<string, StoredDocument>()
  const viewOf: OnceContext['viewOf'] = (_stream, { state, revision }) =>
    serviceView(state, { revision, now: world.now(), timeline: [], inFlight: {} })
  const lock = createStreamLock()
  let ids = 0
  const context: OnceContext = {
    store: {
      getDocument: async (kind, id) => ok(documents.get(`${kind} ${id}`) ?? null),
      putDocument: async (document) => {
        documents.set(`${document.kind} ${document.id}`, document)
        return ok(undefined)
      },
    },
    engine: { load: async () => ok({ state: world.state(), revision: 1 }) },
    ids: { next: (prefix) => `${prefix}-random-${ids++}` },
    clock: { now: world.now, monotonic: world.now, sleep: async () => undefined },
    digest: (value) => createHash('sha256').update(JSON.stringify(value)).digest('hex'),
    viewOf,
    inTurn: lock.run,
  }
  const view = () => viewOf('shop.local', { state: world.state(), revision: 1 })
  const begin =
    (version: string) =>
    async ({ rollout: id }: Attempt): Promise<Result<Answer>> => {
      world.deploy(version, { id })
      return ok({ rollout: id, view: view() })
    }
  const giveUp = async (attempt: Attempt): Promise<Result<Answer>> => {
    const rollout = world.state().rollout?.id ?? ''
    await attempt.returns(rollout)
    world.byHand('rollback')
    return ok({ rollout, view: view() })
  }
  return { world, context, begin, giveUp, view }
}

const request = (change: Partial<Request> = {}): Request => ({
  operation: 'deploy',
  stream: 'shop.local',
  key: 'k-1',
  input: { version: '1.0.0' },
  ...change,
})
const never = async (): Promise<Result<Answer>> => {
  throw new Error('it began a second time')
}
const crash = async (): Promise<Result<Answer>> => {
  throw new Error('the controller died here')
}
const rolloutOf = (answer: Result<Answer>) => (answer.kind === 'ok' ? answer.value.rollout : answer.problem)

describe('a request with a key', () => {
  it('is answered with its rollout when it comes again, during it and after its end', async () => {
    const { world, context, begin } = scene()
    const first = rolloutOf(await once(context, request(), begin('1.0.0')))
    expect(first).toMatch(/^rollout-[0-9a-f]{16}$/)
    expect(rolloutOf(await once(context, request(), never))).toBe(first)
    world.passUntil(isOver)
    expect(rolloutOf(await once(context, request(), never))).toBe(first)
    expect(world.eventsOf('rollout-started')).toHaveLength(1)
  })

  it('is tried again under the same id when the controller died before the journal had it', async () => {
    const { context, begin } = scene()
    await expect(once(context, request(), crash)).rejects.toThrow('died')
    expect(rolloutOf(await once(context, request(), begin('1.0.0')))).toMatch(/^rollout-[0-9a-f]{16}$/)
  })

  it('is found when the controller died after the journal had it and before it answered', async () => {
    const { world, context, begin } = scene()
    await expect(
      once(context, request(), async (attempt) => {
        await begin('1.0.0')(attempt)
        return crash()
      }),
    ).rejects.toThrow('died')
    expect(rolloutOf(await once(context, request(), never))).toBe(world.state().rollout?.id)
  })

  it('is refused when it asks for something else under the same key', async () => {
    const { context, begin } = scene()
    await once(context, request(), begin('1.0.0'))
    for (const other of [{ input: { version: '1.0.1' } }, { stream: 'api.local' }, { operation: 'rollback' }])
      expect(rolloutOf(await once(context, request(other), never))).toMatchObject({
        code: 'IDEMPOTENCY_KEY_REUSED',
        message: 'The key "k-1" belongs to another request already.',
      })
  })

  it('begins once when it comes twice at the same time', async () => {
    const { world, context, begin } = scene()
    const answers = await Promise.all([1, 2, 3].map(() => once(context, request(), begin('1.0.0'))))
    expect(new Set(answers.map(rolloutOf)).size).toBe(1)
    expect(world.eventsOf('rollout-started')).toHaveLength(1)
  })

  it('that had nothing to do does nothing later either', async () => {
    const { context, view } = scene()
    const nothing = async (): Promise<Result<Answer>> => ok({ rollout: null, view: view() })
    await once(context, request(), nothing)
    expect(rolloutOf(await once(context, request(), never))).toBeNull()
  })

  it('without a key begins each time', async () => {
    const { context, begin } = scene()
    const keyless = { ...request(), key: undefined }
    expect(rolloutOf(await once(context, keyless, begin('1.0.0')))).toBe('rollout-random-0')
    expect(rolloutOf(await once(context, keyless, begin('1.0.0')))).toBe('rollout-random-1')
  })
})

describe('a rollback of a running rollout with a key', () => {
  const back = request({ operation: 'rollback', input: {} })

  function running() {
    const world = createWorld()
    world.withStable()
    world.deploy('1.1.0')
    world.passUntil(() => world.weightOf('1.1.0') === 50)
    return { ...scene(world), rollout: world.state().rollout?.id }
  }

  it('never sends back one more version when it comes again', async () => {
    const { world, context, giveUp, rollout } = running()
    await expect(
      once(context, back, async (attempt) => {
        await giveUp(attempt)
        return crash()
      }),
    ).rejects.toThrow('died')
    expect(rolloutOf(await once(context, back, never))).toBe(rollout)
    world.passUntil(isOver)
    expect(rolloutOf(await once(context, back, never))).toBe(rollout)
    expect(world.outcomes()).toEqual(['promoted', 'rolled_back'])
  })

  it('is tried again when it had taken no effect', async () => {
    const { world, context, giveUp, rollout } = running()
    await expect(
      once(context, back, async (attempt) => {
        await attempt.returns(rollout ?? '')
        return crash()
      }),
    ).rejects.toThrow('died')
    expect(rolloutOf(await once(context, back, giveUp))).toBe(rollout)
    world.passUntil(isOver)
    expect(world.outcomes().at(-1)).toBe('rolled_back')
  })
})
