import { appendFileSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { redactor } from '../core/shared/redact.ts'
import { ErrorReader } from './error-reader.ts'
import { type InstanceRecord, newInstance } from './instance-record.ts'
import { capLog, logPath } from './log-file.ts'

const TURN_MS = 250

let folder = ''
let now = 0
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-errors-'))
  now = 1_000_000
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const running = (id: string, release = 'shop@1'): InstanceRecord => ({
  ...newInstance({ id, service: 'shop', release, at: 0 }),
  process: { pid: 1, startTime: '1' },
})
const ONE = running('shop-1')
const write = (text: string, { id } = ONE): void => appendFileSync(logPath(folder, id), text)
const reader = (): ErrorReader =>
  new ErrorReader({
    path: join(folder, 'errors.json'),
    logFolder: folder,
    boot: 'b',
    redact: redactor(['s3cret-value']),
  })
function turns(of: ErrorReader, instances: readonly InstanceRecord[] = [ONE], count = 3): void {
  for (let turn = 0; turn < count; turn += 1) {
    now += TURN_MS
    of.turn(instances, now)
  }
}
const counts = (of: ErrorReader): Record<string, number> =>
  Object.fromEntries(
    of
      .errorsOf('shop')
      .flatMap(({ signatures }) => signatures.map(({ template, count }) => [template, count])),
  )

describe('the errors that instances write', () => {
  it('are counted by release and kind, over all instances, with the first line as example', () => {
    const errors = reader()
    const two = running('shop-2')
    const other = running('shop-3', 'shop@2')
    write('hello\nERROR order 1 is lost\n{"level":30,"msg":"fine"}\n')
    write('ERROR order 2 is lost\n', two)
    write('Error: no stock\n    at pay (/srv/shop/pay.js:3:1)\n', other)
    turns(errors, [ONE, two, other])
    expect(errors.errorsOf('shop')).toMatchObject([
      {
        release: 'shop@1',
        signatures: [{ template: 'order <n> is lost', count: 2, example: 'ERROR order 1 is lost' }],
      },
      { release: 'shop@2', signatures: [{ template: 'Error: no stock at pay (pay.js)', count: 1 }] },
    ])
  })

  it('count once whatever the pieces are in which they are written', () => {
    const errors = reader()
    for (const letter of 'ERROR order 1 is lost\nError: no stock\n    at pay (/srv/pay.js:3:1)\nhello\n') {
      write(letter)
      turns(errors, [ONE], 1)
    }
    turns(errors)
    expect(counts(errors)).toEqual({ 'order <n> is lost': 1, 'Error: no stock': 1 })
  })

  it('hold no secret', () => {
    const errors = reader()
    write(`ERROR cannot use s3cret-value\n{"level":50,"msg":"s3cret-value","token":"s3cret-value"}\n`)
    write(`ERROR ${'x'.repeat(40_000)}s3cret-value ${'x'.repeat(40_000)} s3cret-value\n`)
    turns(errors)
    errors.save(now)
    expect(counts(errors)).toMatchObject({ 'cannot use [redacted]': 1, '[redacted]': 1 })
    expect(JSON.stringify(errors.errorsOf('shop'))).not.toContain('s3cret')
    expect(readFileSync(join(folder, 'errors.json'), 'utf8')).not.toContain('s3cret')
  })

  it('have a version that changes exactly when they do', () => {
    const errors = reader()
    turns(errors)
    const silent = errors.version('shop')
    write('hello\n')
    turns(errors)
    expect(errors.version('shop')).toBe(silent)
    write('ERROR no stock\n')
    turns(errors)
    expect(errors.version('shop')).not.toBe(silent)
    expect(errors.version('other')).toBe('b.0')
  })

  it('are bounded in number: what is beyond is counted as others', () => {
    const errors = reader()
    for (let kind = 0; kind < 60; kind += 1) write(`ERROR ${'z'.repeat(kind + 1)} broke\n`)
    turns(errors)
    expect(errors.errorsOf('shop')[0]).toMatchObject({ others: 10 })
    expect(errors.errorsOf('shop')[0]?.signatures).toHaveLength(50)
  })

  it('are read a bounded piece at a time, and endless lines do no harm', () => {
    const errors = reader()
    write(`${'x'.repeat(10_000_000)}\nERROR no stock\n`)
    writeFileSync(logPath(folder, 'shop-2'), Buffer.alloc(3_000_000, 0xff))
    const begun = performance.now()
    turns(errors, [ONE, running('shop-2')], 1)
    expect(performance.now() - begun).toBeLessThan(200)
    for (let turn = 0; turn < 500 && counts(errors)['no stock'] === undefined; turn += 1)
      turns(errors, [ONE, running('shop-2')], 1)
    expect(counts(errors)).toEqual({ 'no stock': 1 })
  })

  it('go with the last instance of their release', () => {
    const errors = reader()
    write('ERROR no stock\n')
    turns(errors)
    turns(errors, [])
    expect(errors.errorsOf('shop')).toEqual([])
  })

  it('include the last words of one that has ended', () => {
    const errors = reader()
    write('panic: no stock')
    turns(errors)
    expect(counts(errors)).toEqual({})
    turns(errors, [{ ...ONE, process: null }])
    expect(counts(errors)).toEqual({ 'panic: no stock': 1 })
  })
})

describe('a log that is full', () => {
  const cap = (errors: ErrorReader): void => {
    const capped = capLog(logPath(folder, ONE.id), 10)
    if (capped !== null) errors.capped(ONE, capped)
  }

  it('is read to its end in the previous file, and then from the beginning of the new one', () => {
    const errors = reader()
    write('ERROR one\n')
    turns(errors)
    write('ERROR two\nERROR three\n')
    cap(errors)
    write('ERROR four\n')
    turns(errors)
    expect(counts(errors)).toEqual({ one: 1, two: 1, three: 1, four: 1 })
    expect(errors.errorsOf('shop')[0]?.lostBytes).toBe(0)
  })

  it('counts what nobody had read when it was taken away', () => {
    const errors = reader()
    turns(errors)
    write('ERROR one\nERROR two\n')
    cap(errors)
    write('ERROR three\n')
    cap(errors)
    turns(errors)
    expect(counts(errors)).toEqual({ three: 1 })
    expect(errors.errorsOf('shop')[0]?.lostBytes).toBe(20)
    expect(errors.totals('shop')).toEqual({ errors: 1, lostBytes: 20 })
  })

  it('that somebody else emptied is read from its beginning', () => {
    const errors = reader()
    write('ERROR one\nERROR one\n')
    turns(errors)
    truncateSync(logPath(folder, ONE.id))
    write('ERROR two\n')
    turns(errors)
    expect(counts(errors)).toEqual({ one: 2, two: 1 })
  })
})

describe('after a restart of the agent', () => {
  it('goes on where it was and counts nothing twice', () => {
    const first = reader()
    write('ERROR one\n')
    turns(first)
    first.close([ONE], now)
    write('ERROR one\n')
    const second = reader()
    turns(second)
    expect(counts(second)).toEqual({ one: 2 })
  })

  it('also after a kill: what was counted since the last record is read again', () => {
    const first = reader()
    write('ERROR one\n')
    turns(first, [ONE], 12)
    write('ERROR one\n')
    turns(first, [ONE], 2)
    expect(counts(first)).toEqual({ one: 2 })
    const second = reader()
    turns(second)
    expect(counts(second)).toEqual({ one: 2 })
  })

  it('reads the logs again when its record is damaged', () => {
    write('ERROR one\n')
    writeFileSync(join(folder, 'errors.json'), '{"format":1,')
    const errors = reader()
    turns(errors)
    expect(counts(errors)).toEqual({ one: 1 })
  })
})
