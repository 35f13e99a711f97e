import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Watch } from './watch.ts'

const EVERY_MS = 100

describe('a watch', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  it('looks again after each pause for as long as something is left, and again when it is started', async () => {
    let left = 3
    const look = vi.fn(async () => {
      left -= 1
      return left > 0
    })
    const watch = new Watch(EVERY_MS, look)
    await vi.advanceTimersByTimeAsync(10 * EVERY_MS)
    expect(look).not.toHaveBeenCalled()
    watch.start()
    watch.start()
    await vi.advanceTimersByTimeAsync(EVERY_MS)
    expect(look).toHaveBeenCalledTimes(1)
    await vi.advanceTimersByTimeAsync(10 * EVERY_MS)
    expect(look).toHaveBeenCalledTimes(3)
    watch.start()
    await vi.advanceTimersByTimeAsync(10 * EVERY_MS)
    expect(look).toHaveBeenCalledTimes(4)
  })

  it('looks once more when it is started during a look that leaves nothing', async () => {
    const { look, finish } = held(false)
    const watch = new Watch(EVERY_MS, look)
    watch.start()
    await vi.advanceTimersByTimeAsync(EVERY_MS)
    watch.start()
    finish()
    await vi.advanceTimersByTimeAsync(EVERY_MS)
    expect(look).toHaveBeenCalledTimes(2)
    finish()
    await vi.advanceTimersByTimeAsync(10 * EVERY_MS)
    expect(look).toHaveBeenCalledTimes(2)
  })

  it('is closed only after a look that is under way, which begins no other one', async () => {
    const { look, finish } = held(true)
    const watch = new Watch(EVERY_MS, look)
    watch.start()
    await vi.advanceTimersByTimeAsync(EVERY_MS)
    const closed = vi.fn()
    const closing = watch.close().then(closed)
    await vi.advanceTimersByTimeAsync(10 * EVERY_MS)
    expect(closed).not.toHaveBeenCalled()
    finish()
    await closing
    await vi.advanceTimersByTimeAsync(10 * EVERY_MS)
    expect(look).toHaveBeenCalledTimes(1)
  })

  it('does nothing more once it is closed', async () => {
    const look = vi.fn(async () => true)
    const watch = new Watch(EVERY_MS, look)
    watch.start()
    await watch.close()
    watch.start()
    await vi.advanceTimersByTimeAsync(10 * EVERY_MS)
    expect(look).not.toHaveBeenCalled()
  })
})

/** A look that lasts until it is told to finish. */
function held(isLeft: boolean) {
  let resolveLook = (_: boolean): void => {}
  const look = vi.fn(
    () =>
      new Promise<boolean>((resolve) => {
        resolveLook = resolve
      }),
  )
  return { look, finish: () => resolveLook(isLeft) }
}
