import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { findProgram } from '../../src/adapters/tools/find-program.ts'
import { type DockerStand, startDocker, whyNoDocker } from '../live/kit/docker.ts'
import { eventually } from '../live/kit/settle.ts'

const example = fileURLToPath(new URL('../../examples/compose', import.meta.url))
const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
const why = whyNoDocker() ?? (findProgram('docker') === null ? 'the command docker is not installed' : null)

describe.skipIf(why !== null)(`examples/compose (${why ?? 'on an engine of its own'})`, () => {
  let stand: DockerStand
  let folder: string
  beforeAll(async () => {
    stand = await startDocker()
    folder = mkdtempSync(path.join(tmpdir(), 'sluice-compose-'))
    cpSync(example, folder, { recursive: true })
  })
  afterAll(async () => {
    rmSync(folder, { recursive: true, force: true })
    await stand.close()
  })

  const run = async (...words: string[]) => {
    const env = { ...process.env, ...stand.env, SLUICE: `${process.execPath} ${main}` }
    const child = spawn(process.execPath, words, { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] })
    let said = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (said += text))
    const [code] = await once(child, 'exit')
    return { code, said }
  }
  const names = async (): Promise<string[]> => {
    const found: { Names: string[] }[] = JSON.parse((await stand.api('GET', '/containers/json?all=1')).body)
    return found.flatMap((one) => one.Names)
  }

  it('runs with one command, finds its database, and leaves nothing behind', async () => {
    const up = await run('run.mjs')
    expect(up).toMatchObject({
      code: 0,
      said: expect.stringContaining('The shop is on http://127.0.0.1:8090'),
    })
    expect(await names()).toHaveLength(5)
    const page = () => fetch('http://127.0.0.1:8090', { signal: AbortSignal.timeout(5000) })
    const text = await eventually('the page shows the stock', async () => {
      const answer = await page()
      return answer.ok ? answer.text() : null
    })
    expect(text).toMatch(/^Mugs: \d+ left \(1\.0\.0, stock by 1\.0\.0\)/)
    expect((await run(main, 'doctor')).said).toContain('live-restore is off')
    expect(await run('run.mjs', 'down')).toMatchObject({ code: 0 })
    expect(await names()).toEqual([])
  })
})
