import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { WorkerRecords } from './records.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'sluice-workers-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const records = () => new WorkerRecords(folder)
const names = () => readdir(path.join(folder, 'workers'))

it('a folder that never had workers has no orphans', async () => {
  expect(await records().endOrphans()).toEqual([])
})

it('a pid that is another program by now, or nobody, is left alone and forgotten', async () => {
  await records().add(process.pid)
  // Above what the kernel gives to anybody.
  await records().add(2 ** 30)
  await writeFile(path.join(folder, 'workers', 'note'), '')
  const begun = performance.now()
  expect(await records().endOrphans()).toEqual([])
  expect(await names()).toEqual(['note'])
  // Nobody was waited for.
  expect(performance.now() - begun).toBeLessThan(900)
})

it('is taken away once', async () => {
  await records().add(7)
  await records().remove(7)
  await records().remove(7)
  expect(await names()).toEqual([])
})
