import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type MeasuredProcess, type Used, UseTally } from './use-tally.ts'

const process = (pid: number, of: Partial<MeasuredProcess> = {}): MeasuredProcess => ({
  pid,
  startTicks: 1000,
  parent: 1,
  ownCpuMs: 0,
  reapedCpuMs: 0,
  residentBytes: 0,
  diskReadBytes: 0,
  diskWrittenBytes: 0,
  ...of,
})
const look = (tally: UseTally, ...processes: MeasuredProcess[]): number => {
  tally.add([{ key: 'shop@1', sinceTicks: 500, processes }])
  return tally.of('shop@1').cpuMs
}

describe('what instances used', () => {
  it('is all that their processes did since they were started', () => {
    const tally = new UseTally()
    expect(tally.of('shop@1')).toEqual({ cpuMs: 0, diskReadBytes: 0, diskWrittenBytes: 0 })
    expect(look(tally, process(7, { ownCpuMs: 30 }), process(8, { ownCpuMs: 12, parent: 7 }))).toBe(42)
    expect(look(tally, process(7, { ownCpuMs: 50 }), process(8, { ownCpuMs: 12, parent: 7 }))).toBe(62)
  })

  it('is kept when an instance crashes, and goes on with its next process', () => {
    const tally = new UseTally()
    look(tally, process(7, { ownCpuMs: 300 }))
    expect(look(tally)).toBe(300)
    expect(look(tally, process(9, { startTicks: 2000, ownCpuMs: 40 }))).toBe(340)
  })

  it('tells a process from another one that was given its pid', () => {
    const tally = new UseTally()
    look(tally, process(7, { ownCpuMs: 300 }))
    expect(look(tally, process(7, { startTicks: 2000, ownCpuMs: 310 }))).toBe(610)
  })

  it('counts from now on what ran before anybody watched, but all of what it starts', () => {
    const tally = new UseTally()
    const old = { startTicks: 400 }
    expect(look(tally, process(7, { ...old, ownCpuMs: 90_000, diskWrittenBytes: 5 }))).toBe(0)
    expect(look(tally, process(7, { ...old, ownCpuMs: 90_010 }), process(8, { ownCpuMs: 5 }))).toBe(15)
    expect(tally.of('shop@1').diskWrittenBytes).toBe(0)
  })

  it('does not count a child again when its parent has waited for it, but what nobody saw of it', () => {
    const tally = new UseTally()
    look(tally, process(7, { ownCpuMs: 10 }), process(8, { parent: 7, ownCpuMs: 100, diskReadBytes: 64 }))
    const waited = process(7, { ownCpuMs: 11, reapedCpuMs: 130, diskReadBytes: 80 })
    expect(look(tally, waited)).toBe(141)
    expect(tally.of('shop@1').diskReadBytes).toBe(80)
  })

  it('counts a child that lived too short to be seen', () => {
    const tally = new UseTally()
    look(tally, process(7))
    expect(look(tally, process(7, { reapedCpuMs: 25, diskWrittenBytes: 4096 }))).toBe(25)
    expect(tally.of('shop@1').diskWrittenBytes).toBe(4096)
  })

  it('does not count a child again whose end fell between the looks at it and at its parent', () => {
    const tally = new UseTally()
    look(tally, process(7, { ownCpuMs: 10 }), process(8, { parent: 7, ownCpuMs: 100 }))
    expect(look(tally, process(7, { ownCpuMs: 10 }))).toBe(110)
    expect(look(tally, process(7, { ownCpuMs: 10, reapedCpuMs: 105 }))).toBe(115)
  })

  it('does not count grandchildren again that reach the eldest by way of an ended parent', () => {
    const tally = new UseTally()
    const eldest = process(7)
    look(tally, eldest, process(8, { parent: 7, ownCpuMs: 40 }), process(9, { parent: 8, ownCpuMs: 60 }))
    expect(look(tally, process(7, { reapedCpuMs: 100 }))).toBe(100)
  })

  it('takes nothing off the work of a parent that does not wait', () => {
    const tally = new UseTally()
    look(tally, process(7), process(8, { parent: 7, ownCpuMs: 500 }))
    expect(look(tally, process(7, { ownCpuMs: 20 }))).toBe(520)
  })

  it('is not shaken by a file that cannot be read now and then', () => {
    const tally = new UseTally()
    for (const diskWrittenBytes of [4096, 0, 4096, 0, 8192]) look(tally, process(7, { diskWrittenBytes }))
    expect(tally.of('shop@1').diskWrittenBytes).toBe(8192)
  })

  it('counts a process once that two instances could claim', () => {
    const tally = new UseTally()
    const shared = [process(7, { ownCpuMs: 30 })]
    tally.add([
      { key: 'a', sinceTicks: 0, processes: shared },
      { key: 'b', sinceTicks: 0, processes: shared },
    ])
    expect([tally.of('a').cpuMs, tally.of('b').cpuMs]).toEqual([30, 0])
  })

  it('begins anew once forgotten', () => {
    const tally = new UseTally()
    look(tally, process(7, { ownCpuMs: 30 }))
    tally.forget('shop@1')
    expect(look(tally, process(7, { ownCpuMs: 33 }))).toBe(3)
  })
})

/** What may happen in a family; numbers choose among the processes that are there. */
const event = fc.oneof(
  fc.record({ kind: fc.constant('work' as const), of: fc.nat(), ms: fc.integer({ min: 1, max: 50 }) }),
  fc.record({ kind: fc.constant('fork' as const), of: fc.nat() }),
  fc.record({ kind: fc.constant('end' as const), of: fc.nat() }),
  fc.record({ kind: fc.constant('wait' as const), of: fc.nat() }),
  fc.record({ kind: fc.constant('look' as const) }),
)
type FamilyEvent = typeof event extends fc.Arbitrary<infer Event> ? Event : never
type Live = MeasuredProcess & { ended: boolean }

/** A family as the kernel keeps it: who ended stays as a zombie until its parent waits, and then is part of the parent. */
class Family {
  readonly members = new Map<number, Live>([[2, { ...process(2), ended: false }]])
  worked = 0
  #nextPid = 3

  happen(of: FamilyEvent): void {
    if (of.kind === 'look') return
    const chosen = [...this.members.values()][of.of % this.members.size]
    if (chosen === undefined) return
    if (of.kind === 'wait') this.#wait(chosen)
    else if (chosen.ended) return
    else if (of.kind === 'work') this.#work(chosen, of.ms)
    else if (of.kind === 'fork') this.#fork(chosen)
    else if (chosen.pid !== 2 && !this.#hasChildren(chosen)) chosen.ended = true
  }

  #work(member: Live, ms: number): void {
    member.ownCpuMs += ms
    member.diskWrittenBytes += ms
    this.worked += ms
  }
  #fork({ pid: parent }: Live): void {
    const pid = this.#nextPid++
    this.members.set(pid, { ...process(pid, { parent }), ended: false })
  }
  #wait(child: Live): void {
    const parent = this.members.get(child.parent)
    if (!child.ended || parent === undefined) return
    parent.reapedCpuMs += child.ownCpuMs + child.reapedCpuMs
    parent.diskWrittenBytes += child.diskWrittenBytes
    this.members.delete(child.pid)
  }
  #hasChildren = ({ pid }: Live): boolean => [...this.members.values()].some(({ parent }) => parent === pid)
}

describe('whatever a family of processes does', () => {
  it('each millisecond and byte is counted once, by the next look, and counters never fall', () => {
    const course = fc.property(fc.array(event, { maxLength: 80 }), (events) => {
      const family = new Family()
      const tally = new UseTally()
      let before: Used = tally.of('shop@1')
      for (const one of [...events, { kind: 'look' } as const]) {
        family.happen(one)
        if (one.kind !== 'look') continue
        look(tally, ...[...family.members.values()].map((member) => ({ ...member })))
        const used = tally.of('shop@1')
        expect(used).toEqual({ cpuMs: family.worked, diskReadBytes: 0, diskWrittenBytes: family.worked })
        expect(used.cpuMs).toBeGreaterThanOrEqual(before.cpuMs)
        before = used
      }
    })
    return fc.assert(course, { numRuns: 300 })
  })

  it('counters never fall, also for what no kernel would say', () => {
    const any = fc.record({
      pid: fc.integer({ min: 1, max: 6 }),
      startTicks: fc.integer({ min: 0, max: 3 }),
      parent: fc.integer({ min: 1, max: 6 }),
      ownCpuMs: fc.nat(100),
      reapedCpuMs: fc.nat(100),
      residentBytes: fc.nat(100),
      diskReadBytes: fc.nat(100),
      diskWrittenBytes: fc.nat(100),
    })
    const course = fc.property(fc.array(fc.array(any, { maxLength: 5 }), { maxLength: 12 }), (looks) => {
      const tally = new UseTally()
      for (const processes of looks) {
        const { cpuMs, diskReadBytes, diskWrittenBytes } = tally.of('shop@1')
        tally.add([{ key: 'shop@1', sinceTicks: 2, processes }])
        const now = tally.of('shop@1')
        expect(now.cpuMs).toBeGreaterThanOrEqual(cpuMs)
        expect(now.diskReadBytes).toBeGreaterThanOrEqual(diskReadBytes)
        expect(now.diskWrittenBytes).toBeGreaterThanOrEqual(diskWrittenBytes)
      }
    })
    return fc.assert(course, { numRuns: 300 })
  })
})
