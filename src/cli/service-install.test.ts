import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { problem } from '../core/shared/problem.ts'
import { failed, ok } from '../core/shared/result.ts'
import { exitCodeOf } from './exit-code.ts'
import { type InstallParts, installUnit } from './service-install.ts'

const refusal = problem('SYSTEMD_REFUSED', { message: 'failed', cause: 'Access denied', remedy: 'look' })

describe('installing the systemd unit', () => {
  let folder: string
  let done: string[]

  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'sluice-unit-'))
    done = []
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  const unit = () => ({
    name: 'sluice-shop.service',
    file: path.join(folder, 'units/shop.service'),
    text: 'new',
  })
  const parts = (over: Partial<InstallParts> & { refuses?: string; runs?: boolean } = {}): InstallParts => ({
    systemdFolder: folder,
    systemctl: (words) => {
      done.push(words.join(' '))
      return words[0] === over.refuses ? failed(refusal) : ok('')
    },
    stopControllers: async () => {
      done.push('stop')
      return ok((over.runs ?? true) ? 1 : 0)
    },
    startController: async () => {
      done.push('start')
      return ok(null)
    },
    ...over,
  })

  it('writes the unit, stops the controller that runs, and enables it', async () => {
    expect((await installUnit(unit(), parts())).kind).toBe('ok')
    expect(readFileSync(unit().file, 'utf8')).toBe('new')
    expect(done).toEqual(['--version', 'stop', 'daemon-reload', 'enable --now sluice-shop.service'])
  })

  it('refuses before it touches anything where systemd does not run', async () => {
    const answer = await installUnit(unit(), parts({ systemdFolder: path.join(folder, 'none') }))
    expect(answer).toMatchObject({
      kind: 'failed',
      problem: { code: 'SYSTEMD_REFUSED', remedy: expect.stringContaining('sluice service print') },
    })
    expect(exitCodeOf(refusal)).toBe(13)
    expect(existsSync(unit().file)).toBe(false)
    expect(done).toEqual([])
  })

  it('removes the unit file and starts the controller again when enabling fails', async () => {
    const answer = await installUnit(unit(), parts({ refuses: 'enable' }))
    expect(answer).toMatchObject({
      kind: 'failed',
      problem: {
        cause: expect.stringMatching(/^Access denied\n.*removed again\. The controller was started again\.$/),
      },
    })
    expect(existsSync(unit().file)).toBe(false)
    expect(done.slice(-3)).toEqual(['disable --now sluice-shop.service', 'daemon-reload', 'start'])
  })

  it('starts no controller where none ran', async () => {
    expect((await installUnit(unit(), parts({ refuses: 'enable', runs: false }))).kind).toBe('failed')
    expect(done).not.toContain('start')
  })

  it('puts an earlier unit file back when installing it again fails', async () => {
    await installUnit(unit(), parts())
    writeFileSync(unit().file, 'old')
    expect((await installUnit(unit(), parts({ refuses: 'enable' }))).kind).toBe('failed')
    expect(readFileSync(unit().file, 'utf8')).toBe('old')
  })

  it('leaves no unit file when the controller does not stop', async () => {
    const stuck = parts({ stopControllers: async () => failed(refusal) })
    expect((await installUnit(unit(), stuck)).kind).toBe('failed')
    expect(existsSync(unit().file)).toBe(false)
    expect(done).not.toContain('start')
  })
})
