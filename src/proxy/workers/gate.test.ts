import { EventEmitter } from 'node:events'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Admission } from '../admission.ts'
import { GATE_LIMIT_MS } from '../limits.ts'
import { Gate } from './gate.ts'
import { Guests } from './guests.ts'

/** Workers and the process that leads, without the line between them. */
function makeGates(admission: Admission) {
  const join = () => {
    const guests = new Guests(() => admission)
    const gate: Gate = new Gate((message) => {
      if (message.kind === 'left') guests.left(message.number)
      if (message.kind === 'enter') gate.answered(message.number, guests.enter(message))
    })
    return { gate, guests }
  }
  return { one: join(), two: join() }
}

describe('the limits of a service that several processes serve', () => {
  it('let in as many as one process would, and the next one when one has left', async () => {
    const admission = new Admission('shop')
    admission.take({ requests: 3 })
    const { one, two } = makeGates(admission)
    const [first, second] = [new EventEmitter(), new EventEmitter()]
    expect(await one.gate.enter('shop', first)).toBeNull()
    expect(await two.gate.enter('shop', second)).toBeNull()
    expect(admission.enter(new EventEmitter())).toBeNull()
    expect((await one.gate.enter('shop', new EventEmitter()))?.problem.code).toBe('SERVICE_BUSY')
    second.emit('close')
    expect(await one.gate.enter('shop', new EventEmitter())).toBeNull()
    expect((await two.gate.enter('shop', new EventEmitter()))?.status).toBe(503)
    expect(admission.limited).toEqual({ requests: 2, rate: 0 })
  })

  it('share one bucket of tokens', async () => {
    const admission = new Admission('shop', () => 0)
    admission.take({ rate: { perSecond: 1, burst: 3 } })
    const { one, two } = makeGates(admission)
    const refused = []
    for (const { gate } of [one, two, one, two, one])
      refused.push((await gate.enter('shop', new EventEmitter()))?.status ?? null)
    expect(refused).toEqual([null, null, null, 429, 429])
  })

  it('have room again when a worker is gone with all that it had', async () => {
    const admission = new Admission('shop')
    admission.take({ requests: 2 })
    const { one, two } = makeGates(admission)
    for (let turn = 0; turn < 2; turn += 1) await one.gate.enter('shop', new EventEmitter())
    expect((await two.gate.enter('shop', new EventEmitter()))?.status).toBe(503)
    one.guests.leave()
    expect(await two.gate.enter('shop', new EventEmitter())).toBeNull()
  })

  it('hold no place for whoever went before there was an answer', async () => {
    const admission = new Admission('shop')
    admission.take({ requests: 1 })
    const guests = new Guests(() => admission)
    const left: number[] = []
    const gate = new Gate((message) => {
      if (message.kind === 'left') left.push(message.number)
    })
    const guest = new EventEmitter()
    const entered = gate.enter('shop', guest)
    guest.emit('close')
    gate.answered(1, guests.enter({ number: 1, service: 'shop' }))
    expect([await entered, left]).toEqual([null, [1]])
  })
})

describe('a process that leads and says nothing', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }))
  afterEach(() => void vi.useRealTimers())

  it('keeps no request waiting for ever, and no place when it answers after all', async () => {
    const left: number[] = []
    const gate = new Gate((message) => {
      if (message.kind === 'left') left.push(message.number)
    })
    const entered = gate.enter('shop', new EventEmitter())
    vi.advanceTimersByTime(GATE_LIMIT_MS)
    expect(await entered).toMatchObject({ status: 503, problem: { code: 'SERVICE_BUSY' } })
    gate.answered(1, null)
    expect(left).toEqual([1])
  })
})
