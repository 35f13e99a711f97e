import { describe, expect, it } from 'vitest'
import { problem } from '../../core/shared/problem.ts'
import type { VerifyCheck } from '../../core/shared/verification.ts'
import { decidedWeights, instancesOf, NEW, waitingOn } from './scene.ts'
import type { SettingsChange } from './settings.ts'
import { simulatedSettings } from './settings.ts'
import type { World } from './world.ts'
import { createWorld, isOver, stepKind } from './world.ts'

const checkOf = (name: string, moments: VerifyCheck['moments'] = ['before', 'after']): VerifyCheck => ({
  kind: 'command',
  name,
  moments,
  timeoutMs: 10_000,
  command: [name],
  secrets: [],
})
const BOTH = [checkOf('smoke'), checkOf('journey')]

function worldWith(change: SettingsChange = {}): World {
  const world = createWorld({ settings: simulatedSettings({ verify: BOTH, ...change }) })
  world.withStable()
  return world
}
const atVerify = (world: World): void => world.passUntil((state) => stepKind(state) === 'verify')
const ended = (world: World): void => world.passUntil(isOver)
const reports = (world: World) => world.eventsOf('verified')
const hasHadTraffic = (world: World, version = NEW): boolean =>
  decidedWeights(world, version).some((weight) => weight > 0)

describe('checks of a release', () => {
  it('are made on an instance of the candidate before it has traffic, and on the service once it has all', () => {
    const world = worldWith()
    world.deploy(NEW)
    ended(world)
    expect(world.outcomes().at(-1)).toBe('promoted')
    const [first, second] = reports(world).slice(-2)
    expect(first?.report.url).not.toBe('http://127.0.0.1:8080')
    expect(second?.report.url).toBe('http://127.0.0.1:8080')
    expect(first?.report.results.map(({ name }) => name)).toEqual(['smoke', 'journey'])
    const events = world.events().map(({ kind }) => kind)
    expect(events.lastIndexOf('verified')).toBeGreaterThan(events.lastIndexOf('weights-decided'))
  })

  it('are only made at the moment they are for', () => {
    const world = worldWith({ verify: [checkOf('smoke', ['before']), checkOf('journey', ['after'])] })
    world.deploy(NEW)
    ended(world)
    const names = reports(world).map(({ report }) => report.results.map(({ name }) => name).join())
    expect(names.slice(-2)).toEqual(['smoke', 'journey'])
  })

  it('are made for the first release, too, which fails with them', () => {
    const world = createWorld({ settings: simulatedSettings({ verify: BOTH }) })
    world.setChecks(() => 'fails')
    world.deploy('1.0.0')
    ended(world)
    expect(world.outcomes()).toEqual(['failed'])
    expect(world.state().rollout?.reason).toMatchObject({ code: 'VERIFY_FAILED' })
  })

  it('that fail before the switch leave all traffic where it was; the candidate stays for inspection (S31)', () => {
    const world = worldWith({ blueGreen: {} })
    world.setChecks((moment) => (moment === 'before' ? 'fails' : 'passes'))
    world.deploy(NEW)
    ended(world)
    expect(world.outcomes().at(-1)).toBe('rolled_back')
    expect(hasHadTraffic(world)).toBe(false)
    expect(world.weightOf('1.0.0')).toBe(1000)
    expect(world.state().sets.find(({ version }) => version === NEW)?.role).toBe('held')
    expect(world.state().rollout?.reason.message).toBe(
      '1.1.0 was verified before it had traffic: 0 of 2 checks passed; smoke: it fails; journey: it fails',
    )
    expect(world.state().blocks).toMatchObject([{ version: NEW, reason: { code: 'VERIFY_FAILED' } }])
  })

  it('that fail after the switch take all traffic back to the old set at full size (S32)', () => {
    const world = worldWith({ blueGreen: {} })
    world.setChecks((moment) => (moment === 'after' ? 'fails' : 'passes'))
    world.deploy(NEW)
    ended(world)
    expect(hasHadTraffic(world)).toBe(true)
    expect(world.outcomes().at(-1)).toBe('rolled_back')
    expect(world.weightOf('1.0.0')).toBe(1000)
    expect(instancesOf(world, '1.0.0').filter(({ state }) => state === 'ready')).toHaveLength(2)
  })

  it('that fail with all traffic hold where it is, where the file says so', () => {
    const world = worldWith({ rollback: { onFailure: 'hold' } })
    world.setChecks((moment) => (moment === 'after' ? 'fails' : 'passes'))
    world.deploy(NEW)
    world.passUntil(
      ({ rollout }) => rollout?.phase.kind === 'running' && rollout.phase.paused?.failed === true,
    )
    world.pass(60_000)
    expect(world.weightOf(NEW)).toBe(1000)
    expect(world.eventsOf('failure-held')).toHaveLength(1)
  })

  it('that last are waited for, and nothing goes on without their report', () => {
    const world = worldWith()
    world.setChecks(() => 'lasts')
    world.deploy(NEW)
    atVerify(world)
    world.pass(60_000)
    expect(stepKind(world.state())).toBe('verify')
    expect(waitingOn(world)).toMatchObject({ kind: 'checks', message: 'the checks: smoke, journey' })
    expect(world.byHand('promote')).toMatchObject({ kind: 'failed' })
    world.setChecks(() => 'passes')
    ended(world)
    expect(world.outcomes().at(-1)).toBe('promoted')
  })

  it('are not taken for passed while the candidate has lost its instances (S33)', () => {
    const world = worldWith()
    world.setChecks(() => 'lasts')
    world.deploy(NEW)
    atVerify(world)
    world.target.crash(`${NEW}-r`)
    const { rollout } = world.state()
    const report = {
      url: 'http://127.0.0.1:1',
      results: [{ name: 'smoke', passed: true, text: 'ok', tookMs: 1 }],
    }
    world.send({ kind: 'observed', observation: world.observation() })
    world.send({
      kind: 'verified',
      underEpoch: 1,
      rollout: rollout?.id ?? '',
      index: rollout?.stepIndex ?? 0,
      report,
    })
    world.pass(5000)
    expect(hasHadTraffic(world)).toBe(false)
  })

  it('of another rollout, another step or another owner say nothing', () => {
    const world = worldWith()
    world.setChecks(() => 'lasts')
    world.deploy(NEW)
    atVerify(world)
    const { rollout, epoch } = world.state()
    const report = { url: 'http://127.0.0.1:1', results: [] }
    const asked = { underEpoch: epoch, rollout: rollout?.id ?? '', index: rollout?.stepIndex ?? 0 }
    for (const other of [{ rollout: 'rollout-99' }, { index: 0 }, { underEpoch: epoch + 1 }])
      world.send({ kind: 'verified', ...asked, ...other, report })
    expect(reports(world).filter(({ report }) => report.results.length === 0)).toEqual([])
    world.send({ kind: 'verified', ...asked, report })
    expect(world.state().rollout?.reason.code).toBe('VERIFY_FAILED')
  })

  it('are made again when the controller died in the middle of them', () => {
    const world = worldWith()
    world.setChecks(() => 'lasts')
    world.deploy(NEW)
    atVerify(world)
    world.restartController()
    world.setChecks(() => 'passes')
    ended(world)
    expect(world.outcomes().at(-1)).toBe('promoted')
  })

  it('wait while the rollout is paused, and an abort needs no report', () => {
    const world = worldWith()
    world.setChecks(() => 'lasts')
    world.deploy(NEW)
    atVerify(world)
    world.byHand('pause')
    const before = reports(world).length
    world.setChecks(() => 'passes')
    world.pass(10_000)
    expect(reports(world)).toHaveLength(before)
    world.byHand('abort')
    ended(world)
    expect(world.outcomes().at(-1)).toBe('aborted')
  })

  it('are made by an order of all traffic at once, too, and not on the fast way back', () => {
    const world = worldWith()
    world.deploy(NEW, { kind: 'full' })
    ended(world)
    const made = reports(world).length
    expect(made).toBe(4)
    world.deploy('1.0.0', { kind: 'rollback', order: 'rollback' })
    world.passUntil((state) => isOver(state) && state.stable?.version === '1.0.0')
    expect(reports(world)).toHaveLength(made)
  })

  it('are not made while the router cannot confirm that the candidate has all traffic', () => {
    const world = worldWith({ verify: [checkOf('journey', ['after'])] })
    const before = reports(world).length
    world.router.refuse(problem('ROUTER_REFUSED', { message: 'no', remedy: 'wait', retryable: true }))
    world.deploy(NEW)
    world.pass(60_000)
    expect(reports(world)).toHaveLength(before)
  })
})
