import { describe, expect, it } from 'vitest'
import type { Effect } from '../core/rollout/due.ts'
import { newServiceState } from '../core/rollout/state.ts'
import { problem } from '../core/shared/problem.ts'
import type { Result } from '../core/shared/result.ts'
import { failed, ok } from '../core/shared/result.ts'
import { createPerformer } from './perform.ts'

const HOUR_MS = 3_600_000
const STATE = newServiceState('shop.local')
const EFFECT: Effect = {
  kind: 'stop-set',
  key: 'stop-set v1',
  token: { epoch: 1, sequence: 1, rollout: null },
  release: 'v1',
}
const TROUBLE = failed(
  problem('TARGET_UNREACHABLE', { message: 'no answer', remedy: 'Wait.', retryable: true }),
)

/** A performer whose effects are answered at once, and two clocks that are moved by hand. */
function scene(answer: Result<null>) {
  const time = { wall: 1_700_000_000_000, monotonic: 0 }
  let runs = 0
  const performer = createPerformer({
    clock: { now: () => time.wall, monotonic: () => time.monotonic, sleep: async () => undefined },
    run: async () => {
      runs += 1
      return answer
    },
    answer: () => undefined,
  })
  return {
    time,
    runs: () => runs,
    perform: async () => {
      performer.perform('shop.local', STATE, [EFFECT])
      await Promise.resolve()
      await Promise.resolve()
    },
  }
}

describe('an effect that is due', () => {
  it('rests after a failure and is then tried again', async () => {
    const { time, runs, perform } = scene(TROUBLE)
    await perform()
    await perform()
    expect(runs()).toBe(1)
    time.monotonic += 150
    await perform()
    expect(runs()).toBe(2)
    time.monotonic += 299
    await perform()
    expect(runs()).toBe(2)
  })

  it.each([
    ['failed', TROUBLE, 150],
    ['worked and is still wanted', ok(null), 750],
  ] as const)('does not wait for a clock that was ahead while it %s', async (_, answer, restMs) => {
    const { time, runs, perform } = scene(answer)
    time.wall += HOUR_MS
    await perform()
    time.wall -= HOUR_MS
    time.monotonic += restMs
    await perform()
    expect(runs()).toBe(2)
  })

  it('is not hurried by a clock that is set ahead', async () => {
    const { time, runs, perform } = scene(TROUBLE)
    await perform()
    time.wall += HOUR_MS
    await perform()
    expect(runs()).toBe(1)
  })
})

describe('an effect that lasts', () => {
  it('learns that nobody wants it any more, and may begin anew when it is wanted again', async () => {
    const signals: AbortSignal[] = []
    const performer = createPerformer({
      clock: { now: () => 0, monotonic: () => 0, sleep: async () => undefined },
      run: (_stream, _state, _effect, signal) => {
        signals.push(signal)
        return new Promise(() => undefined)
      },
      answer: () => undefined,
    })
    performer.perform('shop.local', STATE, [EFFECT])
    performer.perform('shop.local', STATE, [EFFECT])
    expect(signals.map(({ aborted }) => aborted)).toEqual([false])
    performer.perform('shop.local', STATE, [])
    expect(signals.map(({ aborted }) => aborted)).toEqual([true])
  })
})
