import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { hasProc } from './proc.ts'
import { checkStrayParts } from './stray-parts.ts'

describe.skipIf(!hasProc)('parts that runtime.json does not know', () => {
  let folder: string
  let child: ChildProcess

  beforeEach(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'sluice-stray-'))
    child = spawn(
      process.execPath,
      ['-e', 'console.log(1); setInterval(() => {}, 1000)', 'internal-proxy', '--folder', `${folder}/proxy`],
      { stdio: ['ignore', 'pipe', 'ignore'] },
    )
    if (child.stdout !== null) await once(child.stdout, 'data')
  })
  afterEach(() => {
    child.kill('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  })

  it('are named with their pid and the way to end them', () => {
    expect(checkStrayParts(folder)).toEqual([
      expect.objectContaining({
        level: 'problem',
        code: 'DOCTOR_PARTS',
        message: expect.stringContaining(`Process ${child.pid} is a proxy of this folder`),
        remedy: `Run \`kill ${child.pid}\`, then \`sluice up\`.`,
      }),
    ])
  })

  it('are fine when they started the one that serves, or are started by it: a proxy that is replaced', async () => {
    const heir = `require('node:child_process').spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)', 'internal-proxy', '--folder', ${JSON.stringify(`${folder}/proxy`)}]).once('spawn', function () { console.log(this.pid) }); setInterval(() => {}, 1000)`
    const elder = spawn(process.execPath, ['-e', heir, 'internal-proxy', '--folder', `${folder}/proxy`], {
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    const [line] = elder.stdout === null ? [] : await once(elder.stdout, 'data')
    const pids = [Number(String(line)), elder.pid]
    try {
      for (const pid of pids) {
        writeFileSync(path.join(folder, 'runtime.json'), JSON.stringify({ proxy: { pid } }))
        const named = checkStrayParts(folder).map(({ message }) => message)
        expect(named).toEqual([expect.stringContaining(`Process ${child.pid} is a proxy`)])
      }
    } finally {
      for (const pid of pids) if (pid !== undefined) process.kill(pid, 'SIGKILL')
    }
  })

  it('are fine when runtime.json names them, and of no interest to another folder', () => {
    expect(checkStrayParts(`${folder}-other`)).toEqual([])
    writeFileSync(path.join(folder, 'runtime.json'), JSON.stringify({ proxy: { pid: child.pid } }))
    expect(checkStrayParts(folder)).toEqual([])
  })
})
