import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import type { Release } from '../core/release/release.ts'
import type { ServiceSettings } from '../core/release/settings.ts'
import { setOf } from '../core/rollout/set-state.test.kit.ts'
import type { ServiceState } from '../core/rollout/state.ts'
import { newServiceState } from '../core/rollout/state.ts'
import { problem } from '../core/shared/problem.ts'
import type { Result } from '../core/shared/result.ts'
import { failed, ok } from '../core/shared/result.ts'
import { loadRelease } from '../engine/effects.ts'
import { abilitiesFake } from '../testkit/fakes/router-abilities.ts'
import { createStoreFake } from '../testkit/fakes/store.ts'
import { createTargetFake } from '../testkit/fakes/target.ts'
import { releaseOf, simulatedSettings } from '../testkit/simulator/settings.ts'
import { type PlanBackContext, planBack } from './plan-back.ts'
import { type PrepareContext, prepareRelease, record } from './prepare-release.ts'

const settings = simulatedSettings()
const withSecret: ServiceSettings = { ...settings, run: { ...settings.run, secrets: ['DATABASE_URL'] } }
const digest = (value: unknown): string => createHash('sha256').update(JSON.stringify(value)).digest('hex')

/** A service whose stable is 1.2.0 and was 1.1.0 and 1.0.0 before, and whose secret has this version today. */
async function scene(today: string, file: Result<ServiceSettings[]> = ok([withSecret])) {
  const store = createStoreFake().open()
  await store.join({ name: 'test', pid: 1, startedAt: 0, host: 'here' })
  const { target } = createTargetFake({ now: () => 1 })
  const context: PlanBackContext & PrepareContext = {
    store,
    target: {
      ...target,
      secretVersions: async (names) => ok(Object.fromEntries(names.map((name) => [name, today]))),
    },
    clock: { now: () => 1, monotonic: () => 1, sleep: async () => undefined },
    ids: { next: (prefix) => `${prefix}-1` },
    digest,
    channelWarnings: () => [],
    abilitiesOf: async () => abilitiesFake(),
    checkCertificate: async () => ok([]),
    certificateFiles: () => [],
    loadSettings: () => file,
    preparing: (task) => task(),
  }
  const known = (version: string): Release => ({
    id: releaseOf(version),
    stream: 'shop.local',
    version,
    artifact: { digest: `sha256:${version}`, folder: `/${version}`, bytes: 1, files: 1 },
    settings: withSecret,
    secretVersions: { DATABASE_URL: 'old' },
    createdAt: 0,
    createdBy: 'ada',
    adopted: false,
  })
  for (const version of ['1.0.0', '1.1.0', '1.2.0']) await record(context, known(version))
  const stood = (version: string) => ({ release: releaseOf(version), version, since: 0 })
  const state: ServiceState = {
    ...newServiceState('shop.local'),
    settings: withSecret,
    stable: stood('1.2.0'),
    previous: [stood('1.1.0'), stood('1.0.0')],
  }
  const back = (to?: string) => planBack(context, { stream: 'shop.local', state, to, actor: 'ada' })
  return { context, state, back }
}

describe('going back', () => {
  it('starts with the secrets of today, and the plan names by version what differs (S105)', async () => {
    const { back } = await scene('rotated')
    const planned = await back('1.1.0')
    expect(planned).toMatchObject({
      kind: 'ok',
      value: {
        plan: {
          changes: expect.arrayContaining([
            { path: 'secrets.DATABASE_URL', from: 'version old', to: 'version rotated' },
          ]),
          warnings: expect.arrayContaining([
            'The secret DATABASE_URL was changed since 1.1.0 ran: it starts with the value of today.',
          ]),
        },
        release: { id: '1.1.0-r', secretVersions: { DATABASE_URL: 'old' } },
      },
    })
    const same = await (await scene('old')).back()
    expect(same.kind === 'ok' && same.value.plan.changes.map(({ path }) => path)).not.toContain(
      'secrets.DATABASE_URL',
    )
  })

  it('counts how far back a release is, and beyond the window takes all steps (S89)', async () => {
    const narrow = { ...withSecret, rollback: { ...withSecret.rollback, window: 1 } }
    const { back } = await scene('old', ok([narrow]))
    expect(await back('1.1.0')).toMatchObject({ value: { plan: { kind: 'rollback' } } })
    expect(await back('1.0.0')).toMatchObject({
      value: { plan: { kind: 'deploy', because: expect.stringContaining('2 stable releases back') } },
    })
  })

  it('works with a file that cannot be read, by what stable was made with (S102)', async () => {
    const { back } = await scene(
      'old',
      failed(problem('CONFIG_FILE_UNREADABLE', { message: 'no', remedy: 'x' })),
    )
    expect(await back()).toMatchObject({ kind: 'ok', value: { plan: { kind: 'rollback' } } })
  })

  it('brings back an image that was pruned before anything is decided, and refuses where nobody has it', async () => {
    const asked: string[] = []
    const image = 'r.local/shop@sha256:1'
    const lacking = async (code: string, running = false) => {
      const { context, state } = await scene('old')
      const target = {
        ...context.target,
        resolve: async ({ artifact }: { artifact: string }) => {
          asked.push(artifact)
          return failed(problem(code, { message: 'no answer', remedy: 'see to it' }))
        },
      }
      const loaded = await loadRelease(context.store, releaseOf('1.1.0'))
      if (loaded.kind === 'failed') throw new Error(loaded.problem.message)
      const known = { ...loaded.value, id: '1.1.0-image', artifact: { ...loaded.value.artifact, image } }
      await record(context, known)
      const stood = { release: known.id, version: '1.1.0', since: 0 }
      const now = {
        ...state,
        previous: [stood],
        sets: running
          ? [setOf(known.id, { version: '1.1.0', role: 'warm', replicas: 2, assertedEpoch: 1 })]
          : [],
      }
      return planBack(
        { ...context, target },
        { stream: 'shop.local', state: now, to: undefined, actor: 'ada' },
      )
    }
    expect(await lacking('REGISTRY_UNREACHABLE')).toMatchObject({
      problem: {
        code: 'ROLLBACK_IMAGE_MISSING',
        message: expect.stringContaining(`The image of 1.1.0 (${image})`),
        remedy: 'see to it',
      },
    })
    expect(asked).toEqual([image])
    // An engine that is away says nothing about its images, and the way back is not held up by it.
    expect(await lacking('DOCKER_UNREACHABLE')).toMatchObject({
      value: { plan: { warnings: expect.arrayContaining([expect.stringContaining('DOCKER_UNREACHABLE')]) } },
    })
    // Instances that run have their image: nobody is asked.
    expect(await lacking('REGISTRY_UNREACHABLE', true)).toMatchObject({ kind: 'ok' })
    expect(asked).toHaveLength(2)
  })

  it('offers only what was stable, by name', async () => {
    const { back } = await scene('old')
    expect(await back('9.9.9')).toMatchObject({
      problem: { code: 'ROLLBACK_TARGET_MISSING', remedy: expect.stringContaining('1.1.0, 1.0.0') },
    })
  })
})

describe('a changed setting or secret', () => {
  it('makes a new release under the same version, and the record of the one before stays as it was (S103)', async () => {
    const idWith = async (today: string, change: Partial<ServiceSettings['run']> = {}) => {
      const { context } = await scene(today)
      const changed = { ...withSecret, run: { ...withSecret.run, ...change } }
      const made = await prepareRelease(context, { settings: changed, version: '1.3.0', actor: 'ada' })
      return made.kind === 'ok' ? made.value.release.id : made.problem.code
    }
    const first = await idWith('a')
    expect(await idWith('a')).toBe(first)
    expect(await idWith('b')).not.toBe(first)
    expect(await idWith('a', { env: { MODE: 'new' } })).not.toBe(first)
    // What use is measured against says nothing about what runs.
    expect(await idWith('a', { resources: { cpus: 0.5, memoryBytes: 1 } })).toBe(first)

    const { context } = await scene('a')
    const before = await prepareRelease(context, { settings: withSecret, version: '1.3.0', actor: 'ada' })
    const changed = { ...withSecret, run: { ...withSecret.run, env: { MODE: 'new' } } }
    await prepareRelease(context, { settings: changed, version: '1.3.0', actor: 'ada' })
    expect(await prepareRelease(context, { settings: withSecret, version: '1.3.0', actor: 'bob' })).toEqual(
      before,
    )
  })
})
