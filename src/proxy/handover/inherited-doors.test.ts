import { Server } from 'node:net'
import { describe, expect, it } from 'vitest'
import { failed, ok, type Result } from '../../core/shared/result.ts'
import { listenFailed } from '../../core/shared/route-problems.ts'
import { InheritedDoors } from './inherited-doors.ts'

const [front, back] = [
  { host: '127.0.0.1', port: 8080 },
  { host: '127.0.0.1', port: 8081 },
]

function doorOf(opened: Result<void> = ok(undefined)) {
  const log: string[] = []
  return {
    log,
    adopt: async () => void log.push('adopted'),
    openAnew: async () => {
      log.push('opened')
      return opened
    },
  }
}

describe('doors that are handed over', () => {
  it('go to who listens there, and to nobody else', async () => {
    const doors = new InheritedDoors([front])
    const [one, two] = [doorOf(), doorOf()]
    expect(doors.claim(back, two)).toBe(false)
    expect(doors.claim(front, one)).toBe(true)
    expect(doors.claim(front, two)).toBe(false)
    expect(doors.check()).toEqual(ok(undefined))
    await doors.adopt(front, new Server())
    expect([one.log, two.log, doors.isEmpty]).toEqual([['adopted'], [], true])
  })

  it('must all have somebody: the addresses that nobody takes are named', () => {
    const doors = new InheritedDoors([front, back])
    doors.claim(back, doorOf())
    const checked = doors.check()
    expect(checked).toMatchObject({ kind: 'failed', problem: { code: 'PROXY_UPGRADE_FAILED' } })
    expect(checked.kind === 'failed' && checked.problem.message).toContain('127.0.0.1:8080')
  })

  it('are opened anew when who had them is gone, as far as they were not handed over', async () => {
    const doors = new InheritedDoors([front, back])
    const [one, two] = [doorOf(), doorOf()]
    doors.claim(front, one)
    doors.claim(back, two)
    await doors.adopt(front, new Server())
    expect(await doors.openRest()).toEqual(ok(undefined))
    expect([one.log, two.log]).toEqual([['adopted'], ['opened']])
  })

  it('say so when one cannot be opened', async () => {
    const doors = new InheritedDoors([front])
    const why = listenFailed(front, Object.assign(new Error('taken'), { code: 'EADDRINUSE' }))
    doors.claim(front, doorOf(failed(why)))
    expect(await doors.openRest()).toEqual(failed(why))
  })
})
