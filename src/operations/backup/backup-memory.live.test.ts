import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import type { StoreRow } from '../../ports/store.ts'
import { readBackup } from './read.ts'
import { writeBackup } from './write.ts'

// Among the live ones, since it needs a process of its own: others would be in what it measures.
it('takes memory for a few lines only, however long the history is', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'sluice-backup-memory-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const file = path.join(folder, 'copy.sluice')
  const dump = async (onRow: (row: StoreRow) => void | Promise<void>) => {
    const revision = 20_000
    const text = 'x'.repeat(1000)
    await onRow({ row: 'stream', stream: 's', epoch: 1, revision, schemaVersion: 2, state: {}, due: null })
    for (let sequence = 1; sequence <= revision; sequence += 1)
      await onRow({ row: 'event', stream: 's', sequence, at: 1, kind: 'x', event: text })
    return { kind: 'ok' as const, value: { rows: revision + 1 } }
  }
  const before = process.memoryUsage().arrayBuffers
  const now = () => Date.UTC(2026, 10, 21)
  const written = await writeBackup({ dump, store: 'x', from: 'y', sluice: '1', now }, file)
  expect(written.kind).toBe('ok')
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(15_000_000)
  const read = await readBackup(file)
  expect(read.kind === 'ok' && read.value.counts.event).toBe(20_000)
})
