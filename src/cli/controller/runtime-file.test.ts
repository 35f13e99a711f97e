import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import fc from 'fast-check'
import { beforeEach, expect, it, onTestFinished } from 'vitest'
import { damagedContent } from '../../testkit/damage.test.kit.ts'
import { controllerSockets, livingParts, readRuntime } from './runtime-file.ts'

const SOUND = {
  schema: 1,
  controller: {
    pid: 999_999_999,
    startedAt: 1,
    socket: '/nowhere/c.sock',
    url: 'http://127.0.0.1:1',
    version: '1',
  },
  proxy: { pid: 999_999_998 },
  agent: null,
}

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'sluice-runtime-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
})

it('names no process when the file is damaged, and never breaks a command', () => {
  const content = damagedContent(SOUND)
  fc.assert(
    fc.property(content, (text) => {
      writeFileSync(path.join(folder, 'runtime.json'), text)
      const runtime = readRuntime(folder)
      for (const { pid } of livingParts(runtime)) expect(pid).toBeGreaterThan(0)
      expect(controllerSockets(runtime).every((socket) => typeof socket === 'string')).toBe(true)
    }),
    { numRuns: 150 },
  )
})
