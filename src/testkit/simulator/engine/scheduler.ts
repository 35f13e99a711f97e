import type { Random } from './random.ts'

/** More events than a run of a few virtual minutes can have: something goes round in circles. */
const EVENT_LIMIT = 400_000

type Planned = { at: number; tie: number; task: () => void }

/**
 * Virtual time on one thread. What is planned for the same moment runs in an order drawn from the seed, and everything
 * that follows from one event (its promises) is over before the next begins.
 */
export type Scheduler = {
  /** Milliseconds since the run began. */
  now(): number
  after(ms: number, task: () => void): void
  /** Real work that virtual time waits for, such as a file. */
  waitFor(work: Promise<unknown>): void
  /** Runs until this moment, or until `isOver` says so, which is asked after each event. */
  runUntil(at: number, isOver: () => boolean): Promise<void>
  events(): number
}

export function createScheduler(random: Random): Scheduler {
  const heap: Planned[] = []
  let now = 0
  let ran = 0
  let working = 0

  async function drain(): Promise<void> {
    await everyPromise()
    while (working > 0) await turn()
  }

  return {
    now: () => now,
    after: (ms, task) => push(heap, { at: now + Math.max(0, ms), tie: random.next(), task }),
    waitFor: (work) => {
      working += 1
      const done = (): void => {
        working -= 1
      }
      work.then(done, done)
    },
    runUntil: async (at, isOver) => {
      await turn()
      await drain()
      for (let next = heap[0]; next !== undefined && next.at <= at && !isOver(); next = heap[0]) {
        pop(heap)
        now = next.at
        ran += 1
        if (ran > EVENT_LIMIT) throw new Error(`more than ${EVENT_LIMIT} events: time does not come to rest`)
        next.task()
        await everyPromise()
        if (working > 0) await drain()
      }
      if (!isOver()) now = Math.max(now, at)
    },
    events: () => ran,
  }
}

/** One turn of the real event loop: files get on, and a promise that was rejected without anybody to hear it is reported. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/**
 * Resolves when no promise has anything left to do: a tick that is asked for inside a promise comes when their queue is
 * empty. A turn of the event loop would do as well and takes several times as long.
 */
const everyPromise = (): Promise<void> => new Promise((resolve) => process.nextTick(resolve))

const isBefore = (a: Planned, b: Planned): boolean => a.at < b.at || (a.at === b.at && a.tie < b.tie)

function push(heap: Planned[], planned: Planned): void {
  let index = heap.push(planned) - 1
  while (index > 0) {
    const parent = (index - 1) >> 1
    if (!isBefore(planned, at(heap, parent))) break
    heap[index] = at(heap, parent)
    index = parent
  }
  heap[index] = planned
}

function pop(heap: Planned[]): void {
  const last = heap.pop()
  if (last === undefined || heap.length === 0) return
  let index = 0
  for (;;) {
    let child = 2 * index + 1
    if (child >= heap.length) break
    if (child + 1 < heap.length && isBefore(at(heap, child + 1), at(heap, child))) child += 1
    if (!isBefore(at(heap, child), last)) break
    heap[index] = at(heap, child)
    index = child
  }
  heap[index] = last
}

function at(heap: readonly Planned[], index: number): Planned {
  const found = heap[index]
  if (found === undefined) throw new Error('the heap has a hole')
  return found
}
