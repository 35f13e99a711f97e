import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { emptyState } from './agent-state.ts'
import { SetRegistry } from './set-registry.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-registry-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const token = (epoch: number) => ({ epoch, sequence: 1, rollout: null })

it('a token that could not be written is written when it comes again, before anything acts on it', () => {
  const path = join(folder, 'later', 'agent.json')
  const registry = new SetRegistry(path, emptyState('boot'))
  expect(() => registry.admit('shop', token(2))).toThrow('ENOENT')
  mkdirSync(join(folder, 'later'))
  expect(registry.admit('shop', token(2)).kind).toBe('ok')
  expect(JSON.parse(readFileSync(path, 'utf8')).tokens).toEqual({ shop: token(2) })
  expect(registry.admit('shop', token(1)).kind).toBe('failed')
})
