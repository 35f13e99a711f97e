import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { ok } from '../../core/shared/result.ts'
import type { StoreRow } from '../../ports/store.ts'
import { keepDaily } from './daily.ts'
import { KEPT_DAILIES, shelfOf } from './shelf.ts'

const HOUR_MS = 3_600_000
const STREAM: StoreRow = {
  row: 'stream',
  stream: 's',
  epoch: 1,
  revision: 0,
  schemaVersion: 2,
  state: {},
  due: null,
}

function shelfWith(rows: readonly StoreRow[]) {
  const folder = mkdtempSync(path.join(tmpdir(), 'sluice-daily-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const dump = async (onRow: (row: StoreRow) => void | Promise<void>) => {
    for (const row of rows) await onRow(row)
    return ok({ rows: rows.length })
  }
  const look = (now: number) =>
    keepDaily({ dump, store: 'x', from: 'y', sluice: '1', now: () => now }, folder)
  return { look, names: () => readdirSync(shelfOf(folder)) }
}

it('writes one a day and keeps those of a week', async () => {
  const { look, names } = shelfWith([STREAM])
  let written = 0
  for (let hour = 0; hour < 24 * 10; hour += 1) {
    const done = await look(Date.UTC(2026, 10, 1) + hour * HOUR_MS)
    if (done.kind === 'ok' && done.value !== null) written += 1
  }
  expect(written).toBe(11)
  expect(names()).toHaveLength(KEPT_DAILIES)
})

it('writes none of a state without services', async () => {
  const { look, names } = shelfWith([])
  expect(await look(Date.UTC(2026, 10, 1))).toEqual(ok(null))
  expect(names()).toEqual([])
})

it('is not kept from its work by a file from the future', async () => {
  const { look, names } = shelfWith([STREAM])
  await look(Date.UTC(2030, 10, 1))
  await look(Date.UTC(2026, 10, 1))
  expect(names()).toHaveLength(2)
})
