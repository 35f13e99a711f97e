import { describe, expect, it } from 'vitest'
import { saltWord } from './log-arms.ts'
import { type CopyLine, LogShadow } from './log-shadow.ts'

const COPYING = { salt: 'rollout-1', release: 'new' }
const copying = saltWord(COPYING.salt)
const ok = (status = 200, ms = 5) => ({ kind: 'answered' as const, status, ms })
const copy = (id: string, end: CopyLine['end']) => ({ copying, id, end })

describe('pairs of log lines', () => {
  it('count on both sides at once, whichever line comes first', () => {
    const shadow = new LogShadow(COPYING)
    shadow.takeCopy(copy('a', ok(404)))
    expect(shadow.report().candidate.requests).toBe(0)
    shadow.takeUser({ copying, id: 'a' }, ok(200))
    shadow.takeUser({ copying, id: 'b' }, ok(200))
    shadow.takeCopy(copy('b', { kind: 'failed', by: 'timeouts' }))
    expect(shadow.report()).toMatchObject({
      ...COPYING,
      answered: 1,
      statusDiffers: 1,
      candidate: { requests: 2, errors: 1, timeouts: 1 },
      stable: { requests: 2, errors: 0 },
    })
  })

  it('say nothing where there was no copy, or nothing to compare it with', () => {
    const shadow = new LogShadow(COPYING)
    shadow.takeUser({ copying, id: null }, ok())
    shadow.takeCopy(copy('busy', { kind: 'busy' }))
    shadow.takeUser({ copying, id: 'busy' }, ok())
    shadow.takeCopy(copy('left', ok()))
    shadow.takeUser({ copying, id: 'left' }, null)
    shadow.takeCopy({ ...copy('older', ok()), copying: saltWord('rollout-0') })
    shadow.takeUser({ copying: saltWord('rollout-0'), id: 'older' }, ok())
    expect(shadow.report()).toMatchObject({
      ...{ large: 1, busy: 1, unfinished: 1, answered: 0 },
      candidate: { requests: 0 },
      stable: { requests: 0 },
    })
  })

  it('hold no more than so many halves whose other line was lost', () => {
    const shadow = new LogShadow(COPYING)
    for (let id = 0; id < 2_100; id += 1) shadow.takeCopy(copy(`${id}`, ok()))
    expect(shadow.report().unfinished).toBe(100)
    shadow.takeUser({ copying, id: '2099' }, ok())
    expect(shadow.report().answered).toBe(1)
    expect(shadow.anew().report()).toMatchObject({ answered: 0, unfinished: 0 })
  })
})
