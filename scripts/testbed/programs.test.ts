import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { findProgram, missingPrograms, PROGRAMS } from './programs.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-testbed-'))
})
afterEach(() => {
  rmSync(folder, { recursive: true })
})

it('finds a program in any folder of the path', () => {
  const file = join(folder, 'release-tool')
  writeFileSync(file, '#!/bin/sh\n')
  chmodSync(file, 0o755)
  expect(findProgram('release-tool', `/nowhere:${folder}`)).toBe(file)
})

it('does not take a file that cannot be run for a program', () => {
  writeFileSync(join(folder, 'release-tool'), 'text')
  chmodSync(join(folder, 'release-tool'), 0o644)
  expect(findProgram('release-tool', folder)).toBeNull()
})

it('names what is skipped for each missing program', () => {
  const commands = PROGRAMS.map(({ command }) => command)
  const missing = missingPrograms(folder)
  expect(missing.every(({ command }) => commands.includes(command))).toBe(true)
  expect(PROGRAMS.every(({ suites, aptPackage }) => suites !== '' && aptPackage !== '')).toBe(true)
})
