import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { closeFrame, FrameTracker } from './frame.ts'

/** One binary frame with this many bytes of payload. */
function frame(length: number, masked: boolean): Buffer {
  const head = [0x82]
  const bit = masked ? 0x80 : 0
  if (length < 126) head.push(bit | length)
  else if (length < 65_536) head.push(bit | 126, length >> 8, length & 255)
  else
    head.push(bit | 127, 0, 0, 0, 0, length >>> 24, (length >> 16) & 255, (length >> 8) & 255, length & 255)
  if (masked) head.push(1, 2, 3, 4)
  return Buffer.concat([Buffer.from(head), Buffer.alloc(length, 0x82)])
}

describe('frame tracker', () => {
  it('finds the end of every frame however the bytes are cut', () => {
    const lengths = fc.array(fc.constantFrom(0, 1, 125, 126, 300, 65_535, 65_536), {
      minLength: 1,
      maxLength: 4,
    })
    fc.assert(
      fc.property(lengths, fc.boolean(), fc.integer({ min: 1, max: 5_000 }), (sizes, masked, step) => {
        const frames = sizes.map((size) => frame(size, masked))
        const bytes = Buffer.concat(frames)
        const ends = new Set(frames.map((_, at) => Buffer.concat(frames.slice(0, at + 1)).length))
        const tracker = new FrameTracker()
        for (let at = 0; at < bytes.length; at += step) {
          const chunk = bytes.subarray(at, at + step)
          tracker.feed(chunk)
          expect(tracker.atBoundary).toBe(ends.has(at + chunk.length))
        }
      }),
      { numRuns: 60 },
    )
  })

  it('stops where the frame that is under way ends', () => {
    const tracker = new FrameTracker()
    const bytes = Buffer.concat([frame(10, true), frame(10, true)])
    tracker.feed(bytes.subarray(0, 5))
    expect(tracker.feed(bytes.subarray(5), true)).toBe(frame(10, true).length - 5)
    expect(tracker.atBoundary).toBe(true)
  })

  it('makes close frames with code 1001', () => {
    expect([...closeFrame(false)]).toEqual([0x88, 0x02, 0x03, 0xe9])
    const masked = closeFrame(true)
    expect(masked[1]).toBe(0x82)
    expect([(masked[6] ?? 0) ^ (masked[2] ?? 0), (masked[7] ?? 0) ^ (masked[3] ?? 0)]).toEqual([0x03, 0xe9])
  })
})
