import { mkdtemp, readdir, readFile, rm, stat, symlink, unlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { AccessFile } from './access-file.ts'

let folder: string
let troubles: unknown[]
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'sluice-access-'))
  troubles = []
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const place = () => path.join(folder, 'access', 'shop.log')
const fileOf = (more: { maxBytes?: number; kept?: number; restMs?: number } = {}) =>
  new AccessFile({ path: place(), onTrouble: (error) => troubles.push(error), ...more })
const linesIn = async (file = place()) => (await readFile(file, 'utf8')).trimEnd().split('\n')

describe('the file of an access log', () => {
  it('holds whole lines in order, for its owner only, and goes on where it was', async () => {
    for (const lines of [['a', 'b'], ['c']]) {
      const file = fileOf()
      for (const line of lines) file.write(line)
      await file.close()
    }
    expect(await linesIn()).toEqual(['a', 'b', 'c'])
    expect((await stat(place())).mode & 0o777).toBe(0o600)
  })

  it('writes nothing, and makes no file, where there was nothing to say', async () => {
    const file = fileOf()
    file.sweep()
    await file.close()
    expect(await readdir(folder)).toEqual([])
  })

  it('puts full files aside and keeps so many of them', async () => {
    const file = fileOf({ maxBytes: 10, kept: 2 })
    for (const line of ['1111111', '2222222', '3333333', '4444444']) {
      file.write(line)
      await file.close()
    }
    expect((await readdir(path.dirname(place()))).sort()).toEqual(['shop.log', 'shop.log.1', 'shop.log.2'])
    expect([await linesIn(), await linesIn(`${place()}.1`), await linesIn(`${place()}.2`)]).toEqual([
      ['4444444'],
      ['3333333'],
      ['2222222'],
    ])
  })

  it('drops what finds no room in memory, and writes how many that were', async () => {
    const file = fileOf()
    const long = 'x'.repeat(300_000)
    for (let turn = 0; turn < 10; turn += 1) file.write(long)
    file.write('short')
    await file.close()
    const counted = (await linesIn()).flatMap((line) =>
      line.startsWith('{') ? [JSON.parse(line).dropped] : [],
    )
    // One is being written, three wait, the short one fits.
    expect(counted).toEqual([6])
  })

  it('says once that the disk is full, drops and counts meanwhile, and goes on later', async () => {
    const file = fileOf({ restMs: 0 })
    file.write('first')
    await file.close()
    await unlink(place())
    await symlink('/dev/full', place())
    for (const line of ['lost', 'lost too', 'lost as well']) {
      file.write(line)
      await file.close()
    }
    expect(troubles).toHaveLength(1)
    await unlink(place())
    file.write('later')
    await file.close()
    const [gap = '', later] = await linesIn()
    expect([JSON.parse(gap).dropped, later]).toEqual([3, 'later'])
  })
})

describe('a file that several processes write', () => {
  const MOST_LINES = 20_000
  const FILES = 4
  const MAX_BYTES = 2_000

  /** Lines of all files, whichever was put aside. */
  const everything = async () => {
    const names = await readdir(path.dirname(place()))
    const lines = await Promise.all(names.map((name) => linesIn(path.join(path.dirname(place()), name))))
    return { names, lines: lines.flat() }
  }

  const filesThere = async () => (await readdir(path.dirname(place())).catch(() => [])).length

  it('has each line once and whole, over every change of the file', async () => {
    const [keeper, guest] = [fileOf({ maxBytes: MAX_BYTES, kept: 1_000 }), fileOf({ maxBytes: 1 })]
    keeper.share('keeps')
    guest.share('adds')
    const said: string[] = []
    // Until it was put aside a few times, however slow the disk is.
    for (let number = 0; number < MOST_LINES && (await filesThere()) < FILES; number += 1) {
      for (const [name, file] of [
        ['keeper', keeper],
        ['guest', guest],
      ] as const) {
        const line = `${name} ${number}`
        said.push(line)
        file.write(line)
        file.sweep()
      }
    }
    await Promise.all([keeper.close(), guest.close()])
    const { names, lines } = await everything()
    expect(lines.toSorted()).toEqual(said.toSorted())
    expect(names.length).toBeGreaterThanOrEqual(FILES)
    expect(troubles).toEqual([])
  })

  it('is put aside by the one that keeps it small, also when only others have something to say', async () => {
    const [keeper, guest] = [fileOf({ maxBytes: MAX_BYTES }), fileOf()]
    keeper.share('keeps')
    guest.share('adds')
    guest.write('x'.repeat(MAX_BYTES + 1))
    await guest.close()
    keeper.sweep()
    await keeper.close()
    guest.write('after')
    await guest.close()
    expect((await everything()).names.sort()).toEqual(['shop.log', 'shop.log.1'])
    expect(await linesIn()).toEqual(['after'])
  })

  it('is written again by each of them when the disk has room', async () => {
    const [one, other] = [fileOf({ restMs: 0 }), fileOf()]
    one.share('adds')
    other.share('keeps')
    one.write('begins')
    await one.close()
    await unlink(place())
    await symlink('/dev/full', place())
    one.write('lost')
    await one.close()
    await unlink(place())
    other.write('meanwhile')
    await other.close()
    one.write('later')
    await one.close()
    const [meanwhile, gap = '', later] = await linesIn()
    expect([meanwhile, JSON.parse(gap).dropped, later]).toEqual(['meanwhile', 1, 'later'])
  })
})
