import { failed, ok, type Result } from '../../core/shared/result.ts'
import type { NotificationMessage, Notifier, NotifyFailure } from '../../ports/notifier.ts'

export type NotifierFake = {
  notifier: Notifier
  /** Every attempt that arrived, repeats too. */
  arrived: { key: string; message: NotificationMessage }[]
  /** What a receiver that drops repeated keys has acted on. */
  effective(): string[]
  /** Fails this many of the next sends; they do not arrive. */
  fail(times: number, failure?: NotifyFailure): void
  /** The next sends wait until `resume` is called. */
  pause(): void
  resume(): void
}

/** A receiver that counts (HAR5). */
export function createNotifierFake(): NotifierFake {
  const arrived: NotifierFake['arrived'] = []
  let failures = { left: 0, failure: unreachable }
  let gate = Promise.withResolvers<void>()
  gate.resolve()
  const send = async (message: NotificationMessage, key: string): Promise<Result<void, NotifyFailure>> => {
    await gate.promise
    if (failures.left > 0) {
      failures.left -= 1
      return failed(failures.failure)
    }
    arrived.push({ key, message: structuredClone(message) })
    return ok(undefined)
  }
  return {
    notifier: { kind: 'fake', send },
    arrived,
    effective: () => [...new Set(arrived.map(({ key }) => key))],
    fail: (times, failure = unreachable) => {
      failures = { left: times, failure }
    },
    pause: () => {
      gate = Promise.withResolvers()
    },
    resume: () => gate.resolve(),
  }
}

const unreachable: NotifyFailure = {
  code: 'NOTIFY_UNREACHABLE',
  message: 'The receiver could not be reached, on command of the test.',
  remedy: 'Nothing to do.',
  retryable: true,
}
