import type { Clock } from '../../../ports/clock.ts'
import type { Scheduler } from './scheduler.ts'

/** The Unix time at which every run begins. */
export const START_OF_TIME_MS = 1_700_000_000_000

/** A machine: its clock can be set wrong, and what runs on it can be killed, stopped and started again. */
export type Host = { name: string; wallOffsetMs: number }

/**
 * One life of one controller process. When it ends, nothing that it waited for ever comes: its promises stay open and its
 * timers never fire. While it is stopped, everything waits for the moment it goes on.
 */
export type Life = {
  readonly name: string
  readonly host: Host
  readonly clock: Clock
  isDead(): boolean
  isStopped(): boolean
  /** Runs the task when the process is awake; never, when it is dead by then. */
  whenAwake(task: () => void): void
  end(): void
  stopFor(ms: number): void
}

export function createLife(scheduler: Scheduler, host: Host, number: number): Life {
  let dead = false
  let waiting: (() => void)[] | null = null

  const whenAwake = (task: () => void): void => {
    if (dead) return
    if (waiting === null) task()
    else waiting.push(task)
  }

  const goOn = (): void => {
    const tasks = waiting ?? []
    waiting = null
    for (const task of tasks) scheduler.after(0, () => whenAwake(task))
  }

  return {
    name: `${host.name}${number}`,
    host,
    isDead: () => dead,
    isStopped: () => waiting !== null,
    whenAwake,
    end: () => {
      dead = true
      waiting = null
    },
    stopFor: (ms) => {
      if (dead || waiting !== null) return
      waiting = []
      scheduler.after(ms, goOn)
    },
    clock: {
      now: () => START_OF_TIME_MS + Math.floor(scheduler.now()) + host.wallOffsetMs,
      monotonic: () => scheduler.now(),
      sleep: (ms, signal) =>
        new Promise((resolve) => {
          if (signal?.aborted === true) return resolve()
          const over = (): void => {
            signal?.removeEventListener('abort', over)
            whenAwake(resolve)
          }
          signal?.addEventListener('abort', over, { once: true })
          scheduler.after(ms, over)
        }),
    },
  }
}
