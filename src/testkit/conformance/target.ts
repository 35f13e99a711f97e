import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Instance } from '../../core/shared/instance.ts'
import type { Observation } from '../../core/shared/observation.ts'
import type { Result } from '../../core/shared/result.ts'
import type { SetSpec } from '../../core/shared/set-spec.ts'
import type { FencingToken } from '../../core/shared/token.ts'
import type { ResolveRequest, Target } from '../../ports/target.ts'

/** A target with nothing running, and what the kit needs to know about releases that run on it. */
export type TargetHarness = {
  target: Target
  /** A release of `service` whose instances become ready and write the line `hello from <release>`. */
  healthy(service: string, release: string): SetSpec
  /** One whose instances never become ready, within a deadline of about a second. */
  failing(service: string, release: string): SetSpec
  /** One whose instances become ready and then write `ERROR order 1 is lost` and `ERROR order 2 is lost`. */
  complaining(service: string, release: string): SetSpec
  /** Two versions of something that it can run, with different content. */
  artifacts: [ResolveRequest, ResolveRequest]
  /** Whether this target can tell here what instances use. */
  tellsUse: boolean
  close(): Promise<void>
}

const WAIT_MS = 60_000
const LOOK_EVERY_MS = 20
const SERVICE = 'shop'

/** What every target promises (ports/target.ts). Call it at the top level of a test file. */
export function targetConformance(name: string, make: () => Promise<TargetHarness>): void {
  describe(`target conformance: ${name}`, () => {
    let harness: TargetHarness
    let target: Target
    beforeEach(async () => {
      harness = await make()
      target = harness.target
    })
    afterEach(() => harness.close())

    const start = (release: string, replicas: number, sequence: number) =>
      target.start({ token: token(sequence), spec: harness.healthy(SERVICE, release), replicas })
    const stop = (release: string, sequence: number) =>
      target.stop({ token: token(sequence), service: SERVICE, release })
    const running = async (release: string) =>
      (await look(target)).filter((one) => one.release === release && one.state !== 'gone')
    const untilReady = (release: string, count: number) =>
      until(
        target,
        (all) => withState(all, release, 'ready').length === count && alive(all, release).length === count,
      )

    it('starts instances that become ready, each reachable at an address of its own', async () => {
      mustOk(await start('shop@1', 2, 1))
      const ready = withState(await untilReady('shop@1', 2), 'shop@1', 'ready')
      expect(new Set(ready.map((one) => `${one.host}:${one.port}`)).size).toBe(2)
      expect(new Set(ready.map((one) => one.id)).size).toBe(2)
    })

    it('takes the number of replicas as absolute: more starts the missing, fewer stops the surplus', async () => {
      mustOk(await start('shop@1', 1, 1))
      const [first] = alive(await untilReady('shop@1', 1), 'shop@1')
      mustOk(await start('shop@1', 3, 2))
      expect(alive(await untilReady('shop@1', 3), 'shop@1').map((one) => one.id)).toContain(first?.id)
      mustOk(await start('shop@1', 1, 3))
      expect(alive(await untilReady('shop@1', 1), 'shop@1').map((one) => one.id)).toEqual([first?.id])
    })

    it('stops the instances that are named, and no others, also when it is asked again', async () => {
      mustOk(await start('shop@1', 3, 1))
      const ids = alive(await untilReady('shop@1', 3), 'shop@1').map((one) => one.id)
      const [first, second, third] = ids
      const without = [second ?? '']
      const request = { token: token(2), spec: harness.healthy(SERVICE, 'shop@1'), replicas: 2, without }
      for (const _ of [1, 2]) mustOk(await target.start(request))
      const left = alive(await untilReady('shop@1', 2), 'shop@1').map((one) => one.id)
      expect(left.toSorted()).toEqual([first, third].toSorted())
      // As many others as before: one comes in the place of the one that is to leave.
      mustOk(await target.start({ ...request, token: token(3), without: [first ?? ''] }))
      const now = alive(
        await until(
          target,
          (all) =>
            withState(all, 'shop@1', 'ready').length === 2 &&
            !alive(all, 'shop@1').some(({ id }) => id === first),
        ),
        'shop@1',
      )
      expect(now.map((one) => one.id)).toContain(third)
      expect(now).toHaveLength(2)
    })

    it('does nothing new when the same request comes twice', async () => {
      mustOk(await start('shop@1', 2, 1))
      const before = alive(await untilReady('shop@1', 2), 'shop@1').map((one) => one.id)
      mustOk(await start('shop@1', 2, 1))
      mustOk(await start('shop@1', 2, 1))
      expect((await running('shop@1')).map((one) => one.id)).toEqual(before)
    })

    it('runs two releases of a service side by side and stops one without touching the other', async () => {
      mustOk(await start('shop@1', 1, 1))
      mustOk(await start('shop@2', 1, 2))
      await untilReady('shop@1', 1)
      const [other] = alive(await untilReady('shop@2', 1), 'shop@2')
      mustOk(await stop('shop@1', 3))
      const all = await until(target, (now) => alive(now, 'shop@1').length === 0)
      expect(alive(all, 'shop@2')).toMatchObject([{ id: other?.id, state: 'ready', pid: other?.pid }])
    })

    it('refuses a lower token and changes nothing; an equal one is a repeat', async () => {
      mustOk(await start('shop@1', 1, 5))
      await untilReady('shop@1', 1)
      expect(codeOf(await start('shop@1', 3, 4))).toBe('STALE_TOKEN')
      expect(codeOf(await stop('shop@1', 4))).toBe('STALE_TOKEN')
      const older = { epoch: 0, sequence: 99, rollout: null }
      expect(codeOf(await target.stop({ token: older, service: SERVICE, release: 'shop@1' }))).toBe(
        'STALE_TOKEN',
      )
      expect(codeOf(await target.quiesce({ token: older, service: SERVICE, release: 'shop@1' }))).toBe(
        'STALE_TOKEN',
      )
      mustOk(await start('shop@1', 1, 5))
      const observed = mustOk(await target.observe(SERVICE))
      expect(observed.highestToken).toEqual(token(5))
      expect(alive(observed.instances, 'shop@1')).toHaveLength(1)
    })

    it('fences each service for itself', async () => {
      mustOk(await start('shop@1', 1, 5))
      mustOk(await target.start({ token: token(1), spec: harness.healthy('api', 'api@1'), replicas: 0 }))
      expect(mustOk(await target.observe('api')).highestToken).toEqual(token(1))
    })

    it('shows a stopped instance as gone, stopped by us', async () => {
      mustOk(await start('shop@1', 1, 1))
      await untilReady('shop@1', 1)
      mustOk(await stop('shop@1', 2))
      const all = await until(target, (now) => now.every((one) => one.state === 'gone'))
      expect(all).toMatchObject([
        { release: 'shop@1', state: 'gone', pid: null, lastExit: { cause: 'stopped-by-us' } },
      ])
      mustOk(await stop('shop@1', 2))
    })

    it('starts a stopped release again with new instances', async () => {
      mustOk(await start('shop@1', 1, 1))
      const [first] = alive(await untilReady('shop@1', 1), 'shop@1')
      mustOk(await stop('shop@1', 2))
      await until(target, (now) => alive(now, 'shop@1').length === 0)
      mustOk(await start('shop@1', 1, 3))
      const [second] = alive(await untilReady('shop@1', 1), 'shop@1')
      expect(second?.id).not.toBe(first?.id)
    })

    it('counts stopping, quiescing and releasing what does not run as success', async () => {
      mustOk(await stop('shop@9', 1))
      mustOk(await target.quiesce({ token: token(1), service: SERVICE, release: 'shop@9' }))
      mustOk(await target.release({ token: token(1), service: SERVICE, release: 'shop@9' }))
    })

    it('names an artifact by its content, and removes only what is not to be kept', async () => {
      const [one, other] = harness.artifacts
      const resolved = async (request: ResolveRequest) => {
        const found = await target.resolve(request)
        if (found.kind === 'failed') throw new Error(`${found.problem.code} ${found.problem.message}`)
        return found.value
      }
      const first = await resolved(one)
      const second = await resolved(other)
      expect(first.digest).toMatch(/^sha256:[0-9a-f]{64}$/)
      expect(second.digest).not.toBe(first.digest)
      expect(await resolved(one)).toEqual(first)
      expect(first.image === undefined).toBe(one.kind !== 'image')
      expect(await target.prune([first.digest])).toEqual({ kind: 'ok', value: [second.digest] })
      expect(await target.prune([first.digest])).toEqual({ kind: 'ok', value: [] })
      expect(await resolved(one)).toEqual(first)
    })

    it('observes an unknown service as empty', async () => {
      expect(mustOk(await target.observe('nobody'))).toMatchObject({ highestToken: null, instances: [] })
    })

    it('reports an instance that never becomes ready as failed, with a reason', async () => {
      mustOk(await target.start({ token: token(1), spec: harness.failing(SERVICE, 'shop@bad'), replicas: 1 }))
      const all = await until(target, (now) => withState(now, 'shop@bad', 'failed').length === 1)
      expect(all[0]?.lastProbeFailure?.message).toMatch(/\S/)
      expect(all[0]?.readyAt).toBeNull()
      mustOk(await stop('shop@bad', 2))
      await until(target, (now) => now.every((one) => one.state === 'gone'))
    })

    it('returns the last lines of output, by release', async () => {
      mustOk(await start('shop@1', 1, 1))
      mustOk(await start('shop@2', 1, 2))
      await untilReady('shop@1', 1)
      await untilReady('shop@2', 1)
      const lines = mustOk(await target.logs({ service: SERVICE, release: 'shop@2', lines: 10 }))
      expect(lines.map((one) => one.release)).toEqual(lines.map(() => 'shop@2'))
      expect(lines.map((one) => one.line)).toContain('hello from shop@2')
      expect(mustOk(await target.logs({ service: SERVICE, lines: 10 })).map((one) => one.line)).toContain(
        'hello from shop@1',
      )
    })

    it('counts the errors that instances write, by release and kind', async () => {
      mustOk(await start('shop@1', 1, 1))
      const spec = harness.complaining(SERVICE, 'shop@2')
      mustOk(await target.start({ token: token(2), spec, replicas: 2 }))
      const errorsOf = async (release: string) =>
        mustOk(await target.observe(SERVICE)).errors?.find((one) => one.release === release)
      await untilReady('shop@2', 2)
      await untilTrue(async () => (await errorsOf('shop@2'))?.signatures[0]?.count === 4)
      expect(await errorsOf('shop@2')).toMatchObject({
        signatures: [{ template: 'order <n> is lost', example: expect.stringContaining('order 1 is lost') }],
        others: 0,
        lostBytes: 0,
      })
      expect(await errorsOf('shop@1')).toMatchObject({ signatures: [], others: 0 })
      expect(mustOk(await target.observe('nobody')).errors ?? []).toEqual([])
    })

    const useOf = async (release: string) =>
      mustOk(await target.observe(SERVICE)).use?.releases.find((one) => one.release === release)

    it('tells what instances use, or that it cannot tell', async () => {
      mustOk(await start('shop@1', 2, 1))
      mustOk(await start('shop@2', 1, 2))
      await untilReady('shop@1', 2)
      await untilReady('shop@2', 1)
      if (!harness.tellsUse) return expect(mustOk(await target.observe(SERVICE)).use).toBeUndefined()
      await untilTrue(async () => (await useOf('shop@1'))?.instances === 2)
      await untilTrue(async () => ((await useOf('shop@2'))?.cpuMs ?? 0) > 0)
      const { use, at } = mustOk(await target.observe(SERVICE))
      expect(use?.measuredAt).toBeLessThanOrEqual(at)
      expect(use?.host.cpus).toBeGreaterThan(0)
      expect(use?.releases.map(({ release }) => release).toSorted()).toEqual(['shop@1', 'shop@2'])
      for (const { memoryBytes, largestMemoryBytes, instances } of use?.releases ?? []) {
        expect(largestMemoryBytes).toBeGreaterThan(0)
        expect(memoryBytes).toBeGreaterThanOrEqual(largestMemoryBytes)
        expect(memoryBytes).toBeLessThanOrEqual(largestMemoryBytes * instances)
        expect(memoryBytes).toBeLessThan(use?.host.memoryBytes ?? 0)
      }
      expect(mustOk(await target.observe('nobody')).use?.releases ?? []).toEqual([])
    })

    it('never lets its counters of use fall while the observer lives, whatever ends and comes back', async () => {
      if (!harness.tellsUse) return
      mustOk(await start('shop@1', 2, 1))
      await untilTrue(async () => (await useOf('shop@1'))?.instances === 2)
      await untilTrue(async () => ((await useOf('shop@1'))?.cpuMs ?? 0) > 0)
      const { boot } = mustOk(await target.observe(SERVICE))
      const before = (await useOf('shop@1'))?.cpuMs ?? 0
      mustOk(await stop('shop@1', 2))
      await untilTrue(async () => ((await useOf('shop@1'))?.instances ?? 0) === 0)
      expect((await useOf('shop@1'))?.cpuMs ?? before).toBeGreaterThanOrEqual(before)
      mustOk(await start('shop@1', 1, 3))
      await untilTrue(async () => (await useOf('shop@1'))?.instances === 1)
      await untilTrue(async () => ((await useOf('shop@1'))?.cpuMs ?? 0) > before)
      expect(await useOf('shop@1')).toMatchObject({ instances: 1 })
      expect(mustOk(await target.observe(SERVICE)).boot).toBe(boot)
    })

    it('keeps its boot while it runs', async () => {
      const first = mustOk(await target.observe(SERVICE))
      mustOk(await target.reconcile())
      expect(mustOk(await target.observe(SERVICE)).boot).toBe(first.boot)
    })
  })
}

const token = (sequence: number): FencingToken => ({ epoch: 1, sequence, rollout: null })

function mustOk<T>(result: Result<T>): T {
  if (result.kind === 'failed') throw new Error(`${result.problem.code}: ${result.problem.message}`)
  return result.value
}

const codeOf = (result: Result<unknown>): string => (result.kind === 'failed' ? result.problem.code : 'ok')

const alive = (all: readonly Instance[], release: string): Instance[] =>
  all.filter((one) => one.release === release && one.state !== 'gone' && one.state !== 'stopping')
const withState = (all: readonly Instance[], release: string, state: Instance['state']): Instance[] =>
  all.filter((one) => one.release === release && one.state === state)

const look = async (target: Target): Promise<Instance[]> =>
  (mustOk(await target.observe(SERVICE)) satisfies Observation).instances

async function untilTrue(holds: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + WAIT_MS
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`not reached in ${WAIT_MS} ms`)
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS))
  }
}

async function until(target: Target, holds: (all: Instance[]) => boolean): Promise<Instance[]> {
  const deadline = Date.now() + WAIT_MS
  for (;;) {
    const all = await look(target)
    if (holds(all)) return all
    if (Date.now() > deadline) throw new Error(`not reached in ${WAIT_MS} ms: ${JSON.stringify(all)}`)
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS))
  }
}
