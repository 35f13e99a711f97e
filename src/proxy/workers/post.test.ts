import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { VERSION } from '../../telemetry/version.ts'
import { Limits, WORKER_PAUSE_MS, WORKER_SOUND_MS, WORKER_START_MS } from '../limits.ts'
import { EMPTY_ROUTES } from '../routes-file.ts'
import { Sight } from '../sight.ts'
import type { FromLead } from './messages.ts'
import { Post } from './post.ts'
import type { WorkerHandlers } from './worker-process.ts'

/** A worker without a process: what it was told, and how it ends. */
type Fake = { pid: number; told: FromLead['kind'][]; isKilled: boolean; handlers: WorkerHandlers }

describe('the place of a worker', () => {
  let workers: Fake[]
  let post: Post
  const sight = () => new Sight('boot', { services: new Map(), leaving: new Map() })

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
    workers = []
    post = new Post({
      table: {
        whenStill: async (use) => use(EMPTY_ROUTES),
        doors: [],
        sight: sight(),
        admissionOf: () => null,
      },
      folder: '/nowhere',
      limits: Limits.parse({}),
      trustForwarded: false,
      log: pino({ enabled: false }),
      records: { add: async () => undefined, remove: async () => undefined },
      launch: (_, handlers) => {
        const fake: Fake = { pid: 100 + workers.length, told: [], isKilled: false, handlers }
        workers.push(fake)
        const send = (message: FromLead) => void fake.told.push(message.kind)
        const kill = () => {
          fake.isKilled = true
          handlers.onEnd({ code: null, signal: 'SIGKILL' })
        }
        return { pid: fake.pid, channel: { send, close: async () => undefined }, send, kill }
      },
    })
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  const last = (): Fake => {
    const fake = workers.at(-1)
    if (fake === undefined) throw new Error('no worker')
    return fake
  }
  const dies = () => last().handlers.onEnd({ code: 1, signal: null })
  const begins = async () => {
    last().handlers.onMessage({ kind: 'here', version: VERSION })
    await vi.waitFor(() => expect(last().told).toContain('begin'))
  }

  it('is filled again at once, and after longer and longer pauses where workers die at their start', () => {
    post.fill()
    const pauses: number[] = []
    for (let death = 0; death < 10; death += 1) {
      dies()
      const [count, at] = [workers.length, performance.now()]
      while (workers.length === count) vi.advanceTimersByTime(50)
      pauses.push(performance.now() - at)
    }
    const [first, most] = WORKER_PAUSE_MS
    expect(pauses[0]).toBeLessThanOrEqual(50)
    expect(pauses.slice(1, 4)).toEqual([first, 2 * first, 4 * first])
    expect(pauses.slice(-2)).toEqual([most, most])
  })

  it('is filled at once again after a worker that lived', async () => {
    post.fill()
    dies()
    vi.advanceTimersByTime(0)
    await begins()
    last().handlers.onMessage({ kind: 'ready' })
    expect(post.pid).toBe(last().pid)
    vi.advanceTimersByTime(WORKER_SOUND_MS + 1)
    dies()
    expect(post.pid).toBeNull()
    vi.advanceTimersByTime(0)
    expect(workers).toHaveLength(3)
  })

  it('takes no worker of another version, and none that says nothing', () => {
    post.fill()
    last().handlers.onMessage({ kind: 'here', version: '0.0.0-other' })
    expect([last().isKilled, last().told]).toEqual([true, []])
    vi.advanceTimersByTime(0)
    expect(workers).toHaveLength(2)
    vi.advanceTimersByTime(WORKER_START_MS)
    expect(workers[1]?.isKilled).toBe(true)
  })

  it('is left by a word to a worker that may have requests, and at once by one that has none', async () => {
    post.fill()
    const left = post.leave('farewell')
    expect(last().isKilled).toBe(true)
    await left
    vi.advanceTimersByTime(60_000)
    expect(workers).toHaveLength(1)
  })

  it('is not filled again once nobody is wanted there', async () => {
    post.fill()
    await begins()
    let isEmpty = false
    const left = post.leave('stop').then(() => {
      isEmpty = true
    })
    expect([last().isKilled, last().told.at(-1), isEmpty]).toEqual([false, 'stop', false])
    dies()
    await left
    vi.advanceTimersByTime(60_000)
    expect(workers).toHaveLength(1)
  })

  it('remembers the bugs of all workers that it had', () => {
    post.fill()
    last().handlers.onMessage({ kind: 'bugs', total: 2 })
    dies()
    vi.advanceTimersByTime(0)
    last().handlers.onMessage({ kind: 'bugs', total: 1 })
    expect(post.bugs).toBe(3)
  })
})
