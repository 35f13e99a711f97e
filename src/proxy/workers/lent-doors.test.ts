import { Server } from 'node:net'
import { describe, expect, it } from 'vitest'
import { ok } from '../../core/shared/result.ts'
import type { DoorAddress } from '../handover/messages.ts'
import { LentDoors } from './lent-doors.ts'

const AT = { host: '127.0.0.1', port: 8080 }

function lent() {
  const asked: DoorAddress[] = []
  return { asked, doors: new LentDoors((address) => asked.push(address)) }
}

function doorOf() {
  const adopted: Server[] = []
  const door = { adopt: async (from: Server) => void adopted.push(from), openAnew: async () => ok(undefined) }
  return { door, adopted }
}

/** Listens nowhere; closing it is seen. */
class Socket extends Server {
  isClosed = false
  override close(): this {
    this.isClosed = true
    return this
  }
}

describe('the doors of a worker', () => {
  it('are asked for when something listens there, and get the socket that comes', async () => {
    const { doors, asked } = lent()
    const { door, adopted } = doorOf()
    expect(doors.claim(AT, door)).toBe(true)
    expect(asked).toEqual([AT])
    const socket = new Socket()
    await doors.adopt(AT, socket)
    expect([adopted, socket.isClosed]).toEqual([[socket], false])
  })

  it('leave no socket open that nobody listens at', async () => {
    const { doors } = lent()
    const { door, adopted } = doorOf()
    doors.claim(AT, door)
    const [other, first, second] = [new Socket(), new Socket(), new Socket()]
    await doors.adopt({ ...AT, port: 8081 }, other)
    await doors.adopt(AT, first)
    await doors.adopt(AT, second)
    expect([other.isClosed, first.isClosed, second.isClosed, adopted]).toEqual([true, false, true, [first]])
  })

  it('give the socket to who listens there now', async () => {
    const { doors, asked } = lent()
    const [before, now] = [doorOf(), doorOf()]
    doors.claim(AT, before.door)
    doors.claim(AT, now.door)
    await doors.adopt(AT, new Socket())
    expect([before.adopted.length, now.adopted.length, asked.length]).toEqual([0, 1, 2])
  })

  it('are asked for again when the socket was closed on its way, as long as somebody listens', () => {
    const { doors, asked } = lent()
    doors.missed(AT)
    expect(asked).toEqual([])
    doors.claim(AT, doorOf().door)
    doors.missed(AT)
    expect(asked).toEqual([AT, AT])
  })
})
