import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { credentialsIn } from './credentials.ts'

const basic = (text: string) => Buffer.from(text).toString('base64')

describe('credentials of registries', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'sluice-login-'))
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  const write = (config: unknown) =>
    writeFileSync(
      path.join(folder, 'config.json'),
      typeof config === 'string' ? config : JSON.stringify(config),
    )
  const find = async (registry: string) => {
    const found = await credentialsIn({ DOCKER_CONFIG: folder, PATH: `${folder}:${process.env.PATH}` })(
      registry,
    )
    return found.kind === 'ok' ? found.value : found.problem
  }
  const helper = (name: string, script: string) => {
    const file = path.join(folder, `docker-credential-${name}`)
    writeFileSync(file, `#!/bin/sh\n${script}\n`)
    chmodSync(file, 0o755)
  }

  it('are what docker login wrote, under whatever name of the registry', async () => {
    expect(await find('r.local')).toBeNull()
    write({
      auths: {
        'https://index.docker.io/v1/': { auth: basic('me:hub:word') },
        'r.local:5000': { username: 'a', password: 'b' },
        'https://token.local/v2': { identitytoken: 'long' },
        'empty.local': {},
      },
      HttpHeaders: {},
    })
    expect(await find('docker.io')).toEqual({ username: 'me', password: 'hub:word' })
    expect(await find('r.local:5000')).toEqual({ username: 'a', password: 'b' })
    expect(await find('token.local')).toEqual({ identitytoken: 'long' })
    expect(await find('empty.local')).toBeNull()
    expect(await find('r.local')).toBeNull()
    expect(await find('__proto__')).toBeNull()
  })

  it('come from the helper that is named, by the name that it knows', async () => {
    helper('store', 'read server; echo "{\\"Username\\":\\"u\\",\\"Secret\\":\\"$server\\"}"')
    helper('token', 'echo \'{"Username":"<token>","Secret":"t"}\'')
    helper('none', 'echo "credentials not found in native keychain"; exit 1')
    write({
      credsStore: 'store',
      credHelpers: { 't.local': 'token', 'n.local': 'none' },
      auths: { 'n.local': {} },
    })
    expect(await find('docker.io')).toEqual({ username: 'u', password: 'https://index.docker.io/v1/' })
    expect(await find('r.local')).toEqual({ username: 'u', password: 'r.local' })
    expect(await find('t.local')).toEqual({ identitytoken: 't' })
    expect(await find('n.local')).toBeNull()
  })

  it('that cannot be read are refused, and nothing of them is shown', async () => {
    const refused = { code: 'REGISTRY_CREDENTIALS_UNREADABLE' }
    for (const damaged of [
      '',
      '{"auths":{"r":{"auth":"hunter2',
      '[]',
      '{"auths":[]}',
      '{"auths":{"r.local":"hunter2"}}',
      '\0',
    ]) {
      write(damaged)
      const found = await find('r.local')
      expect(found).toMatchObject(refused)
      expect(JSON.stringify(found)).not.toContain('hunter2')
    }
    helper('bad', 'echo hunter2')
    helper('fails', 'echo hunter2; exit 3')
    for (const credsStore of ['bad', 'fails', 'absent', '../../bin/sh', 'a b']) {
      write({ credsStore })
      const found = await find('r.local')
      expect(found).toMatchObject(refused)
      expect(JSON.stringify(found)).not.toContain('hunter2')
    }
  })
})
