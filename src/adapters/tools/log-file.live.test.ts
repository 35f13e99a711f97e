import { appendFile, mkdtemp, rename, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Line, LogFile, RECORD, recordIn, textOf } from './log-file.ts'

const EMPTIED_AT_BYTES = 1_000

describe('a file of log lines', () => {
  let folder: string
  let file: string
  let lines: string[]
  let warnings: string[]
  let log: LogFile
  const open = () => {
    const warn = (message: string) => void warnings.push(message)
    return new LogFile({
      path: file,
      take: (line) => void lines.push(textOf(line)),
      log: { debug() {}, info() {}, warn, error: warn },
      emptiedAtBytes: EMPTIED_AT_BYTES,
    })
  }
  const taken = async () => {
    await log.read()
    return lines.splice(0)
  }
  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'sluice-log-file-'))
    file = path.join(folder, 'requests.log')
    lines = []
    warnings = []
    log = open()
  })
  afterEach(async () => {
    await log.close()
    await rm(folder, { recursive: true, force: true })
  })

  it('is read line by line as it grows, and from where it ends for the next reader', async () => {
    await writeFile(file, 'of before\n')
    await log.open()
    await appendFile(file, 'one\ntw')
    expect(await taken()).toEqual(['one'])
    await appendFile(file, 'o\n\nthree\nfo')
    expect(await taken()).toEqual(['two', '', 'three'])
    const next = open()
    await next.open()
    await appendFile(file, 'ur\n')
    await next.read()
    await next.close()
    expect(lines.splice(0), 'a piece of a line is none to whoever has not seen its beginning').toEqual(['ur'])
    expect(await taken()).toEqual(['four'])
  })

  it('is emptied once it is large and read, and loses nothing of what comes then', async () => {
    await log.open()
    const written = Array.from({ length: 300 }, (_, at) => `line ${at}`)
    for (const line of written) {
      await appendFile(file, `${line}\n`)
      if (line.endsWith('7')) await log.read()
    }
    expect(await taken()).toEqual(written)
    expect((await stat(file)).size).toBeLessThan(EMPTIED_AT_BYTES)
  })

  it('is read up to a point, for whoever must know something else first', async () => {
    await log.open()
    await appendFile(file, 'one\ntwo\n')
    const until = await log.size()
    await appendFile(file, 'three\n')
    await log.read(until)
    expect(lines.splice(0)).toEqual(['one', 'two'])
    expect(await taken()).toEqual(['three'])
  })

  it('is followed when somebody empties it, or puts another one there', async () => {
    await log.open()
    await appendFile(file, 'one\n')
    expect(await taken()).toEqual(['one'])
    await writeFile(file, '')
    await log.read()
    await appendFile(file, 'two\n')
    expect(await taken()).toEqual(['two'])
    await appendFile(file, 'three\n')
    await rename(file, `${file}.old`)
    await writeFile(file, 'four\n')
    expect(await taken()).toEqual(['three'])
    expect(await taken()).toEqual(['four'])
    await rm(file)
    await log.read()
    await appendFile(file, 'five\n')
    expect(await taken()).toEqual(['five'])
    expect(warnings).toEqual([])
  })

  it('leaves out a line that is too long for one, and reads on behind it', async () => {
    await log.open()
    await appendFile(file, `${'x'.repeat(700_000)}\nshort\n`)
    expect((await taken()).at(-1)).toBe('short')
    expect(lines).toEqual([])
  })

  it('says once that it cannot be read', async () => {
    await log.open()
    await rm(folder, { recursive: true })
    await log.read()
    await log.read()
    expect(warnings).toEqual(['log lines cannot be read'])
  })
})

describe('a line of it', () => {
  it('begins with its mark, also behind one whose writing was cut off', () => {
    const before = `${RECORD}before`
    const recordOf = (text: string): string | null => {
      const bytes = Buffer.from(`${before}${text}`)
      const line: Line = { bytes, from: before.length, to: bytes.length }
      const record = recordIn(line)
      return record === null ? null : textOf(record)
    }
    expect(recordOf(`${RECORD}whole`)).toBe('whole')
    expect(recordOf(`${RECORD}ha${RECORD}whole`)).toBe('whole')
    expect(recordOf('of a line whose beginning nobody saw')).toBeNull()
    expect(recordIn({ bytes: Buffer.from(`\n${before}\n`), from: 0, to: 0 })).toBeNull()
  })
})
