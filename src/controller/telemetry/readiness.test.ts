import { expect, it } from 'vitest'
import { createReadiness, NEEDED_PARTS } from './readiness.ts'

function readinessAt() {
  const time = { now: 0 }
  const readiness = createReadiness(() => time.now)
  return { time, readiness, noteAll: () => NEEDED_PARTS.forEach((part) => void readiness.note(part, null)) }
}

it('misses every part that it has not heard of yet', () => {
  const { readiness } = readinessAt()
  expect(new Set(Object.values(readiness.read()))).toEqual(new Set(['NOT_SEEN_YET']))
})

it('takes the last word of a part', () => {
  const { readiness, noteAll } = readinessAt()
  noteAll()
  readiness.note('proxy', 'ROUTER_UNREACHABLE')
  expect(readiness.read()).toEqual({ store: null, leases: null, proxy: 'ROUTER_UNREACHABLE', agent: null })
  readiness.note('proxy', null)
  expect(readiness.read().proxy).toBeNull()
})

it('misses a part that fell silent, the store sooner than one that may be starting', () => {
  const { readiness, noteAll, time } = readinessAt()
  noteAll()
  time.now = 5001
  expect(readiness.read()).toEqual({
    store: 'NOT_HEARD_OF',
    leases: 'NOT_HEARD_OF',
    proxy: null,
    agent: null,
  })
  time.now = 15_001
  expect(readiness.read().agent).toBe('NOT_HEARD_OF')
})
