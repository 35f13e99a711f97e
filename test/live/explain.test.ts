import { readFileSync } from 'node:fs'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, it } from 'vitest'
import { sealEvent } from '../../src/adapters/stores/sqlite/rows.ts'
import { quickAnalysis, STREAM, type Stack, startStack } from './kit/stack.ts'
import { keepAsking } from './kit/traffic.ts'

it('a bad version is explained in words, as JSON and as a picture, replayed bit for bit, and one changed batch is found', async () => {
  const stack = await startStack({
    versions: { '1.0.0': {}, '1.1.0': { errorShare: 0.4 } },
    stable: '1.0.0',
    file: {
      strategy: {
        canary: { steps: [{ weight: '50%', pause: '90s' }, { weight: '100%' }], watch: '1s', hold: '200ms' },
      },
      analysis: { ...quickAnalysis, compare: { errors: { ratio: 1, points: '0.1%' }, latency: 'off' } },
    },
  })
  for (let users = 0; users < 4; users += 1) keepAsking(stack)
  const deployed = await stack.cli('deploy', '1.1.0', '--yes')
  expect(deployed.code, deployed.out + deployed.err).toBe(10)

  const explained = await stack.cli('explain', 'last', '--svg', 'errors.svg')
  expect(explained.code, explained.err).toBe(0)
  expect(explained.out).toContain('✗ worse')
  expect(explained.out).toMatch(/crossed +with batch \d+ at/)
  expect(explained.out).toMatch(/1\.1\.0 +[\d.]+% \(\d+ of \d+\)/)
  expect(explained.out).toContain('What this does not say')
  expect(readFileSync(path.join(stack.folder, 'errors.svg'), 'utf8')).toMatch(/^<svg .*<\/svg>\n$/s)

  const equal = await stack.cli('replay')
  expect(equal.out + equal.err).toMatch(/^equal: \d+ batches of \S+ judged again/)
  expect(equal.code).toBe(0)

  await stack.kill('controller')
  const changed = changeOneBatch(stack)
  await stack.startController()
  const differs = await stack.cli('replay', '--json')
  expect(differs.code).toBe(1)
  expect(JSON.parse(differs.out)).toMatchObject({
    isEqual: false,
    differences: expect.arrayContaining([
      expect.objectContaining({ kind: 'batch', at: changed.at, what: 'candidate errors' }),
      expect.objectContaining({ kind: 'check' }),
    ]),
  })
})

/** Takes one error out of a stored batch, with a seal that fits: what no checksum finds. */
function changeOneBatch(stack: Stack): { at: number } {
  for (const { sequence, event } of stack.journal()) {
    if (event.kind !== 'metrics-observed' || event.batch === null || event.batch.candidate.errors === 0)
      continue
    const { batch } = event
    const candidate = { ...batch.candidate, errors: batch.candidate.errors - 1 }
    const text = JSON.stringify({ ...event, batch: { ...batch, candidate } })
    const db = new DatabaseSync(path.join(stack.state, 'state.db'))
    const row = db.prepare('SELECT at FROM events WHERE stream = ? AND sequence = ?').get(STREAM, sequence)
    const at = Number(row?.at)
    const seal = sealEvent({ stream: STREAM, sequence, at, kind: event.kind, event: text })
    db.prepare('UPDATE events SET event = ?, crc = ? WHERE stream = ? AND sequence = ?').run(
      text,
      seal,
      STREAM,
      sequence,
    )
    db.close()
    return { at: batch.at }
  }
  throw new Error('no batch has an error of the candidate')
}
