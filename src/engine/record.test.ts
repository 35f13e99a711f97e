import { describe, expect, it } from 'vitest'
import type { Event } from '../core/rollout/event.ts'
import { evolve } from '../core/rollout/evolve.ts'
import type { ServiceState } from '../core/rollout/state.ts'
import { createWorld } from '../testkit/simulator/world.ts'
import { RolloutRecord, recordsFor } from './record.ts'

function recordsOf(before: ServiceState, events: readonly Event[]) {
  const states: ServiceState[] = []
  for (const event of events) states.push(evolve(states.at(-1) ?? before, event))
  return recordsFor({ stream: 'shop.local', revision: 10, before, events, states })
}

describe('records of rollouts', () => {
  it('keeps one for a rollout that was replaced while it waited, so that whoever asked for it learns the end', () => {
    const world = createWorld()
    world.withStable()
    world.deploy('1.1.0')
    world.passUntil(({ rollout }) => rollout?.plan.steps[rollout.stepIndex]?.step.kind === 'watch')
    world.deploy('1.2.0')
    const waiting = world.state().queued
    const before = world.state()
    const told = world.events().length
    world.deploy('1.3.0')
    const records = recordsOf(before, world.events().slice(told))
    const views = records.flatMap(({ body }) => RolloutRecord.safeParse(body).data?.view ?? [])
    expect(views.map(({ id, outcome, endedAt }) => ({ id, outcome, ended: endedAt !== null }))).toEqual([
      { id: waiting?.id, outcome: 'superseded', ended: true },
    ])
    expect(records.map(({ kind }) => kind).sort()).toEqual(['rollout', 'rollout-span'])
  })
})
