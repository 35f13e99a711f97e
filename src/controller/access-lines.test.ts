import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { accessLines } from './access-lines.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'sluice-lines-'))
  await mkdir(path.join(folder, 'access'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const write = (name: string, text: string) => writeFile(path.join(folder, 'access', name), text)
const read = async (count: number) => {
  const found = await accessLines(folder, 'shop.local', count)
  return found.kind === 'ok' ? found.value : found.problem.code
}

it('tells the last whole lines of the access log, over two files where one has too few', async () => {
  expect(await read(10)).toEqual([])
  await write('shop.local.log.1', 'a\nb\n')
  await write('shop.local.log', 'c\nd\nhalf a li')
  expect(await read(1)).toEqual(['d'])
  expect(await read(3)).toEqual(['b', 'c', 'd'])
  expect(await read(10)).toEqual(['a', 'b', 'c', 'd'])
})

it('reads no more than the end of a large file, and begins there with a whole line', async () => {
  await write('shop.local.log', `${'x'.repeat(5 * 1024 * 1024)}\nlast\n`)
  expect(await read(2)).toEqual(['last'])
})

it('says when the log cannot be read', async () => {
  await mkdir(path.join(folder, 'access', 'shop.local.log'))
  expect(await read(2)).toBe('ACCESS_LOG_UNREADABLE')
})
