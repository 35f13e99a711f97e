import { describe, expect, it } from 'vitest'
import type { Work, WorkKind } from '../work.ts'
import { Farewell } from './farewell.ts'

const limits = { requestsMs: 1_000, websocketsMs: 10_000 }

function workOf(kind: WorkKind, startedAt = 0) {
  const told: string[] = []
  const work: Work = {
    kind,
    startedAt,
    route: 'GET /',
    closeGracefully: () => told.push('good-bye'),
    cut: () => told.push('cut'),
    sweep: () => undefined,
  }
  return { work, told }
}

describe('the farewell of a process that was replaced', () => {
  it('gives each request its time, also one that a kept connection brings later', () => {
    const farewell = new Farewell(5_000)
    const [early, late] = [workOf('request', 0), workOf('request', 5_900)]
    const tick = (now: number) => farewell.tick(now, [early.work, late.work], limits)
    tick(6_000)
    expect([early.told, late.told]).toEqual([[], []])
    tick(6_001)
    expect([early.told, late.told]).toEqual([['cut'], []])
    tick(6_901)
    expect(late.told).toEqual(['cut'])
  })

  it('tells WebSockets and streams to leave one after the other', () => {
    const farewell = new Farewell(0)
    const all = Array.from({ length: 90 }, () => workOf('websocket'))
    const told = () => all.filter((one) => one.told.length > 0).length
    const tick = (now: number) =>
      farewell.tick(
        now,
        all.map(({ work }) => work),
        limits,
      )
    tick(900)
    expect(told()).toBe(9)
    tick(4_500)
    expect(told()).toBe(45)
    tick(9_000)
    expect(told()).toBe(90)
    expect(all.every((one) => one.told.length === 1)).toBe(true)
  })

  it('cuts those that were told and did not go, each after its time to answer', () => {
    const farewell = new Farewell(0)
    const [old, young] = [workOf('websocket'), workOf('stream', 10_400)]
    farewell.tick(9_000, [old.work], limits)
    farewell.tick(10_001, [old.work], limits)
    expect(old.told).toEqual(['good-bye', 'cut'])
    farewell.tick(10_500, [young.work], limits)
    expect(young.told).toEqual(['good-bye'])
    farewell.tick(11_501, [young.work], limits)
    expect(young.told).toEqual(['good-bye', 'cut'])
  })
})
