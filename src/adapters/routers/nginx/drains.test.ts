import { describe, expect, it } from 'vitest'
import type { KeptDrain } from '../../tools/kept-drains.ts'
import type { Connection } from './connections.ts'
import { deadlineOf, isLeft, type Place } from './drains.ts'

const LIMITS = { requestsMs: 1_000, websocketsMs: 5_000 }
const place = (of: Partial<Place> = {}): Place => ({
  service: 'shop',
  release: 'a',
  since: 100,
  limits: LIMITS,
  ...of,
})
const PLACES = new Map([
  ['127.0.0.1:1', place()],
  [
    '127.0.0.1:2',
    place({ service: 'cart', since: null, limits: { requestsMs: 2_000, websocketsMs: 9_000 } }),
  ],
])
const to = (remote: string, isKeptAlive = false): Connection => ({ remote, isOpen: true, isKeptAlive })
const client = to('127.0.0.1:50000')
const drain: KeptDrain = {
  release: 'a',
  instance: { id: 'i', host: '127.0.0.1', port: 1 },
  limits: LIMITS,
  since: 100,
  tookMs: null,
  cut: [],
  cutTotal: 0,
}

describe('an old worker', () => {
  const at = (...connections: Connection[]) => deadlineOf(connections, { places: PLACES, leavingSince: 500 })

  it('ends at the limit of the drain, from when the drain began', () => {
    expect(at(client, to('127.0.0.1:1'))).toBe(1_100)
    expect(at(client, to('127.0.0.1:1', true))).toBe(5_100)
  })

  it('waits for another service that is in it, by the limits of that', () => {
    expect(at(client, client, to('127.0.0.1:1'), to('127.0.0.1:2'))).toBe(2_500)
    expect(at(client, client, to('127.0.0.1:1'), to('127.0.0.1:2', true))).toBe(9_500)
  })

  it('waits for a client that has no request yet, as long as nginx does', () => {
    expect(at(client, client, to('127.0.0.1:1'))).toBe(10_500)
  })
})

describe('a drain', () => {
  const left = (...workers: Connection[][]) => isLeft(workers, drain, PLACES)

  it('is over when no old worker is at the instance, whoever else is there', () => {
    expect(left([client, to('127.0.0.1:2', true)])).toBe(true)
    expect(left()).toBe(true)
  })

  it('lasts while a request is there, or a client that may still be sent there', () => {
    expect(left([], [client, to('127.0.0.1:1')])).toBe(false)
    expect(left([client])).toBe(false)
    expect(left([client, client, to('127.0.0.1:2')])).toBe(false)
  })
})
