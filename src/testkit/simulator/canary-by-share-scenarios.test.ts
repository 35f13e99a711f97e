import { describe, expect, it } from 'vitest'
import { decidedWeights, instancesOf, NEW, withCandidateAt } from './scene.ts'
import { simulatedSettings } from './settings.ts'
import type { World } from './world.ts'
import { createWorld, isOver, stepKind } from './world.ts'

const OLD = '1.0.0'
const REPLICAS = 8
const worldByShare = (): World =>
  createWorld({ settings: simulatedSettings({ replicas: REPLICAS, strategy: { instances: 'share' } }) })
const ready = (world: World, version: string): number =>
  instancesOf(world, version).filter(({ state }) => state === 'ready').length
const jump = (world: World, weightPermille: number) =>
  world.send({ kind: 'jump', weightPermille, actor: { kind: 'person', name: 'ada' }, note: '' })

describe('a canary with instances by its share', () => {
  it('never has less capacity than its share of traffic asks for, and stable keeps all of its own', () => {
    const world = worldByShare()
    world.withStable()
    world.deploy(NEW)
    const most: number[] = []
    world.passUntil((state) => {
      expect(REPLICAS * world.weightOf(NEW)).toBeLessThanOrEqual(1000 * ready(world, NEW))
      if (state.stable?.version === OLD) expect(ready(world, OLD)).toBe(REPLICAS)
      if (stepKind(state) === 'observe') most.push(ready(world, NEW))
      return isOver(state)
    })
    expect([...new Set(most)]).toEqual([1, 2, 4])
    expect(decidedWeights(world)).toEqual([0, 50, 250, 500, 1000])
    expect(world.outcomes().at(-1)).toBe('promoted')
  })

  it('that is taken ahead by hand grows first (S23)', () => {
    const world = withCandidateAt(50, worldByShare())
    expect(jump(world, 500).kind).toBe('ok')
    world.passUntil(() => {
      expect(REPLICAS * world.weightOf(NEW)).toBeLessThanOrEqual(1000 * ready(world, NEW))
      return world.weightOf(NEW) === 500
    })
    world.passUntil(isOver)
    expect(world.outcomes().at(-1)).toBe('promoted')
  })

  it('that is taken back to a smaller share by hand goes on from there (S23)', () => {
    const world = withCandidateAt(500, worldByShare())
    expect(jump(world, 50).kind).toBe('ok')
    world.passUntil((state) => world.weightOf(NEW) === 50 && stepKind(state) === 'observe')
    world.passUntil(isOver)
    expect(world.outcomes().at(-1)).toBe('promoted')
    world.pass(60_000)
    expect(ready(world, NEW)).toBe(REPLICAS)
  })

  it('that crashes at a stage goes back, and its instances with it', () => {
    const world = withCandidateAt(250, worldByShare())
    world.target.crash(`${NEW}-r`)
    world.passUntil(isOver)
    expect(world.outcomes().at(-1)).toBe('rolled_back')
    expect(world.weightOf(OLD)).toBe(1000)
    expect(ready(world, OLD)).toBe(REPLICAS)
  })
})
