import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { abilitiesOf } from './abilities.ts'

const USUAL = '--with-http_stub_status_module --with-http_ssl_module'

describe.skipIf(process.platform !== 'linux')('what a build of nginx says of itself', () => {
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'sluice-nginx-build-'))
  })
  afterEach(() => rm(folder, { recursive: true, force: true }))

  /** A program that answers `-V` like one that was built so. */
  async function built(version: string, words: string) {
    const program = path.join(folder, 'nginx')
    await writeFile(
      program,
      `#!/bin/sh\necho 'nginx version: nginx/${version}' >&2\necho 'configure arguments: ${words}' >&2\n`,
    )
    await chmod(program, 0o755)
    return await abilitiesOf(program)
  }

  it('takes away what it was built without, and leaves the rest', async () => {
    const usual = await built('1.22.1', USUAL)
    expect([usual.version, usual.problem]).toEqual(['1.22.1', null])
    const { tls, limits, rate, hosts } = usual.features
    expect([tls.can, limits.can, rate.can, hosts.can]).toEqual([true, true, true, true])
    const bare = await built(
      '1.22.1',
      '--with-http_stub_status_module --without-http_limit_req_module --without-http_limit_conn_module',
    )
    expect(bare.problem).toBeNull()
    expect([bare.features.tls, bare.features.limits, bare.features.rate]).toEqual(
      ['http_ssl_module', 'http_limit_conn_module', 'http_limit_req_module'].map((module) => ({
        can: false,
        why: `This nginx was built without ${module}.`,
      })),
    )
    expect(bare.features.hosts.can).toBe(true)
  })

  it('cannot be used at all when it is too old, or counts nothing', async () => {
    expect((await built('1.18.0', USUAL)).problem?.cause).toContain('older than 1.19.5')
    expect((await built('1.22.1', '')).problem?.cause).toContain('stub_status')
  })
})
