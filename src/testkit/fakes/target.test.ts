import { describe, expect, it } from 'vitest'
import { problem } from '../../core/shared/problem.ts'
import type { SetSpec } from '../../core/shared/set-spec.ts'
import { targetConformance } from '../conformance/target.ts'
import { createTargetFake } from './target.ts'

const HEALTH = { path: '/up', intervalMs: 1000, timeoutMs: 1000, successes: 1, failures: 3, deadlineMs: 1000 }
const specOf = (service: string, release: string): SetSpec => ({
  service,
  release,
  version: '1',
  command: ['true'],
  folder: '/',
  env: {},
  secrets: [],
  health: HEALTH,
  stopGraceMs: 0,
})

targetConformance('memory fake', async () => {
  const fake = createTargetFake()
  const failing = (service: string, release: string) => {
    fake.behave(release, 'fail')
    return specOf(service, release)
  }
  const complaining = (service: string, release: string) => {
    fake.behave(release, 'complain')
    return specOf(service, release)
  }
  const image = (version: string) => ({ artifact: 'shop:{{version}}', version, kind: 'image' as const })
  return {
    target: fake.target,
    healthy: specOf,
    failing,
    complaining,
    artifacts: [image('1'), image('2')],
    tellsUse: true,
    close: async () => {},
  }
})

describe('the fake target', () => {
  const token = { epoch: 1, sequence: 1, rollout: null }
  const started = async () => {
    const fake = createTargetFake({ now: () => 7 })
    fake.behave('shop@1', 'hang')
    await fake.target.start({ token, spec: specOf('shop', 'shop@1'), replicas: 1 })
    return fake
  }
  const states = async (fake: ReturnType<typeof createTargetFake>) => {
    const seen = await fake.target.observe('shop')
    return seen.kind === 'ok'
      ? seen.value.instances.map((one) => `${one.state}/${one.crashes}`)
      : seen.problem.code
  }

  it('lets an instance hang, become ready, flap, die and fail on command', async () => {
    const fake = await started()
    expect(await states(fake)).toEqual(['starting/0'])
    fake.makeReady('shop-1')
    expect(await states(fake)).toEqual(['ready/0'])
    fake.flap('shop-1', 2)
    expect(await states(fake)).toEqual(['ready/2'])
    fake.die('shop-1', { code: null, signal: 'SIGKILL', cause: 'oom' })
    expect(await states(fake)).toEqual(['crashed/3'])
    fake.makeFailed('shop-1', 'no')
    expect(await states(fake)).toEqual(['failed/3'])
  })

  it('refuses, delays and loses answers on command', async () => {
    const fake = await started()
    const stop = () => fake.target.stop({ token, service: 'shop', release: 'shop@1' })
    fake.failNext('stop', { kind: 'refuse', problem: problem('NO', { message: 'no', remedy: 'none' }) })
    expect(await stop()).toMatchObject({ problem: { code: 'NO' } })
    expect(await states(fake)).toEqual(['starting/0'])
    fake.failNext('stop', { kind: 'lose' })
    expect(await stop()).toMatchObject({ problem: { code: 'TARGET_UNREACHABLE' } })
    expect(await states(fake)).toEqual(['gone/0'])
    let letGo = () => {}
    fake.failNext('observe', { kind: 'delay', until: new Promise((resolve) => (letGo = () => resolve())) })
    const seen = states(fake)
    letGo()
    expect(await seen).toEqual(['gone/0'])
    fake.setReachable(false)
    expect(await states(fake)).toBe('TARGET_UNREACHABLE')
    expect(fake.calls.map((call) => call.method)).toContain('stop')
  })

  it('uses what it is told to use, tells nothing when it cannot, and counts anew after a restart', async () => {
    const fake = await started()
    const use = async () => {
      const seen = await fake.target.observe('shop')
      return seen.kind === 'ok' ? seen.value.use : seen.problem.code
    }
    expect(await use()).toMatchObject({ measuredAt: 7, releases: [{ instances: 1, cpuMs: 100 }] })
    fake.restart()
    expect(await use()).toMatchObject({ releases: [{ instances: 1, cpuMs: 0 }] })
    fake.use.set('shop@1', { cpuMs: 5000, memoryBytes: 9 })
    fake.use.setHost({ cpus: 2 })
    expect(await use()).toMatchObject({ host: { cpus: 2 }, releases: [{ cpuMs: 5000, memoryBytes: 9 }] })
    fake.use.setKnown(false)
    expect(await use()).toBeUndefined()
  })
})
