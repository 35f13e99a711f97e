import { PassThrough, Readable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { readProgress } from './pull.ts'

const request = { image: 'r.local/shop@sha256:1', registry: 'r.local', credentials: null }
const codeAfter = async (stream: Readable, limits: { silenceMs?: number; limitMs?: number } = {}) => {
  const read = await readProgress(stream, { ...request, ...limits })
  return read.kind === 'ok' ? 'ok' : read.problem.code
}
const items = (...lines: string[]) => Readable.from(lines)

describe('the progress of a pull', () => {
  it('is good when nothing in it is a failure, whatever else it is', async () => {
    expect(
      await codeAfter(
        items('{"status":"Pulling"}\n', '{"progress', 'Detail":{}}\n', '\n\n', 'no json', '\n'),
      ),
    ).toBe('ok')
    expect(await codeAfter(items('{"status":"an error is a word"}\n{"error":7}\n[1]\nnull\n'))).toBe('ok')
    expect(await codeAfter(items())).toBe('ok')
  })

  it('has its failure in the midst of it, cut anywhere', async () => {
    const text =
      '{"status":"x"}\n{"errorDetail":{"message":"manifest unknown"},"error":"manifest unknown"}\n{"status":"y"}\n'
    for (let at = 0; at <= text.length; at += 5)
      expect(await codeAfter(items(text.slice(0, at), text.slice(at)))).toBe('IMAGE_MISSING')
    expect(await codeAfter(items('{"error":"toomanyrequests"}'))).toBe('REGISTRY_BUSY')
  })

  it('is given up when it breaks off, falls silent or has no end, and its stream is gone', async () => {
    const broken = new PassThrough()
    const reading = codeAfter(broken)
    broken.destroy(new Error('socket hang up'))
    expect(await reading).toBe('IMAGE_PULL_FAILED')
    const silent = new PassThrough()
    silent.write('{"status":"x"}\n')
    expect(await codeAfter(silent, { silenceMs: 20 })).toBe('REGISTRY_UNREACHABLE')
    expect(silent.destroyed).toBe(true)
    const endless = new PassThrough()
    const writing = setInterval(() => endless.write('{"status":"x"}\n'), 5)
    expect(await codeAfter(endless, { limitMs: 50 })).toBe('REGISTRY_UNREACHABLE')
    clearInterval(writing)
  })

  it('keeps no more of a line without an end than a line can have', async () => {
    const long = Readable.from(Array.from({ length: 50 }, () => 'x'.repeat(100_000)))
    expect(await codeAfter(long)).toBe('ok')
  })
})
