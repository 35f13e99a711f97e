import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { createProcessTarget } from '../../src/adapters/targets/processes/process-target.ts'
import { createAgentFixture } from '../../src/agent/agent-fixture.ts'
import { createEngine, type Engine } from '../../src/agent/containers/engine.ts'
import { credentialsIn } from '../../src/agent/containers/images/credentials.ts'
import { createImageStore, type ImageStore } from '../../src/agent/containers/images/image-store.ts'
import { pinName } from '../../src/agent/containers/images/pins.ts'
import { ok, type Result } from '../../src/core/shared/result.ts'
import { type DockerStand, startDocker, whyNoDocker } from './kit/docker.ts'
import { type RegistryStand, startRegistry, whyNoRegistry } from './kit/registry.ts'
import { smallImage } from './kit/small-image.ts'

const ARCHITECTURE = process.arch === 'x64' ? 'amd64' : process.arch
const why = whyNoDocker() ?? whyNoRegistry()

describe.skipIf(why !== null)(`images (${why ?? 'with an engine and a registry of their own'})`, () => {
  let stand: DockerStand
  let registry: RegistryStand
  let engine: Engine
  let folder: string
  let images: ImageStore
  let home: string

  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'sluice-images-'))
    home = path.join(folder, 'home')
    mkdirSync(path.join(home, '.docker'), { recursive: true })
    stand = await startDocker()
    registry = await startRegistry()
    engine = createEngine(stand.env)
    images = createImageStore({ engine, credentials: credentialsIn({ HOME: home }), folder })
  })
  afterEach(() => registry.meddle(null))
  afterAll(async () => {
    await registry.close()
    await stand.close()
    rmSync(folder, { recursive: true, force: true })
  })

  /** A new image of a few bytes under this name. */
  const make = async (name: string, content: string, architecture = ARCHITECTURE) => {
    mustOk(
      await engine.ask({ what: 'make an image' }, async (docker) => {
        const stream = await docker.loadImage(smallImage({ name, content, architecture }))
        for await (const _ of stream);
      }),
    )
  }
  const push = async (name: string) => {
    const items: string[] = []
    mustOk(
      await engine.ask({ what: 'push' }, async (docker) => {
        const stream = await docker.getImage(name).push({ authconfig: { username: 'a', password: 'b' } })
        for await (const item of stream) items.push(String(item))
      }),
    )
    const digest = /"Digest":"(sha256:[0-9a-f]{64})"/.exec(items.join(''))?.[1]
    if (digest === undefined) throw new Error(`not pushed: ${items.join('')}`)
    return digest
  }
  const forget = async (...names: string[]) => {
    for (const name of names)
      await engine.ask({ what: 'forget' }, (docker) => docker.getImage(name).remove({ force: true }))
  }
  /** In the registry, and not here. */
  const published = async (tag: string, content = tag) => {
    const name = `${registry.host}/shop:${tag}`
    await make(name, content)
    const digest = await push(name)
    await forget(name, `${registry.host}/shop@${digest}`)
    return digest
  }
  const shop = () => `${registry.host}/shop:{{version}}`
  const resolve = (version: string, reference = shop()) => images.resolve({ reference, version })
  const isHere = async (name: string) =>
    (await stand.api('GET', `/images/${encodeURIComponent(name)}/json`)).status === 200

  it('pulls what a tag means by its digest, holds it, and stays with it when the tag moves', async () => {
    const digest = await published('1')
    const found = mustOk(await resolve('1'))
    expect(found).toMatchObject({ digest, image: `${registry.host}/shop@${digest}`, warnings: [] })
    expect(found.bytes).toBeGreaterThan(0)
    const moved = await published('1', 'moved')
    expect(moved).not.toBe(digest)
    expect(await isHere(found.image)).toBe(true)
    expect(mustOk(await resolve('1')).digest).toBe(moved)
    // By digest nothing is asked.
    const before = registry.asked().length
    expect(mustOk(await resolve('x', found.image)).digest).toBe(digest)
    expect(registry.asked()).toHaveLength(before)
    // Swept by somebody else: what is held stays.
    expect((await stand.api('POST', '/images/prune')).status).toBe(200)
    expect(await isHere(found.image)).toBe(true)
    expect(mustOk(await images.prune([digest]))).toEqual([moved])
    expect(await isHere(`${registry.host}/shop@${moved}`)).toBe(false)
    expect(mustOk(await images.prune([]))).toEqual([digest])
    expect(await isHere(found.image)).toBe(false)
  })

  it('leaves to others what was here before, what they name too, and what a container is made from', async () => {
    const mine = `${registry.host}/mine:1`
    await make(mine, 'mine')
    const digest = await push(mine)
    expect(mustOk(await resolve('1', `${registry.host}/mine:{{version}}`)).digest).toBe(digest)
    expect(mustOk(await images.prune([]))).toEqual([digest])
    expect(await isHere(mine)).toBe(true)

    const used = await published('used')
    const { image } = mustOk(await resolve('used'))
    const made = await stand.api('POST', '/containers/create', { Image: image, Cmd: ['x'] })
    expect(made.status).toBe(201)
    expect(mustOk(await images.prune([]))).toEqual([])
    expect(mustOk(await images.pins()).map((pin) => pin.digest)).toEqual([used])
    await stand.api('DELETE', `/containers/${JSON.parse(made.body).Id}`)
    expect(mustOk(await images.prune([]))).toEqual([used])
  })

  it('does not let one installation take the images of another', async () => {
    const digest = await published('both')
    const elsewhere = path.join(folder, 'other')
    mkdirSync(elsewhere)
    const other = createImageStore({ engine, credentials: credentialsIn({ HOME: home }), folder: elsewhere })
    const { image } = mustOk(await resolve('both'))
    mustOk(await other.resolve({ reference: shop(), version: 'both' }))
    expect(mustOk(await images.prune([]))).toEqual([digest])
    expect(await isHere(image)).toBe(true)
    expect(mustOk(await other.prune([]))).toEqual([digest])
  })

  it('takes what is on this machine only by its id, and says so where a registry was named', async () => {
    await make('built-here:1', 'here')
    const plain = mustOk(await resolve('1', 'built-here:{{version}}'))
    expect(plain.image).toBe(plain.digest)
    expect(plain.warnings).toEqual([])
    const named = `${registry.host}/never-pushed:1`
    await make(named, 'never')
    const told = mustOk(await resolve('1', named))
    expect(told.image).toBe(told.digest)
    expect(told.warnings).toEqual([expect.stringContaining('no other machine has it')])
  })

  it('refuses what is missing, and what is made for other machines', async () => {
    await published('3')
    expect(codeOf(await resolve('nowhere'))).toBe('IMAGE_MISSING')
    expect(codeOf(await resolve('x', `${registry.host}/shop@sha256:${'0'.repeat(64)}`))).toBe('IMAGE_MISSING')
    expect(codeOf(await resolve('a b'))).toBe('IMAGE_BAD_REFERENCE')
    const foreign = `${registry.host}/foreign:1`
    await make(foreign, 'foreign', 'riscv64')
    expect(await resolve('1', foreign)).toMatchObject({
      problem: { code: 'IMAGE_WRONG_PLATFORM', message: expect.stringContaining('but for linux/riscv64') },
    })
    await push(foreign)
    await forget(foreign)
    expect(codeOf(await resolve('1', foreign))).toBe('IMAGE_WRONG_PLATFORM')
  })

  it.each([
    [401, 'REGISTRY_DENIED', '{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}'],
    [
      403,
      'REGISTRY_DENIED',
      '{"errors":[{"code":"DENIED","message":"requested access to the resource is denied"}]}',
    ],
    [
      429,
      'REGISTRY_BUSY',
      '{"errors":[{"code":"TOOMANYREQUESTS","message":"You have reached your pull rate limit."}]}',
    ],
    [500, 'REGISTRY_UNREACHABLE', 'out of order'],
    [503, 'REGISTRY_UNREACHABLE', ''],
  ])('says what to do when the registry answers %d', async (status, code, body) => {
    await published('4')
    registry.meddle((asked, answer) => {
      if (asked.url === '/v2/' && status !== 401) return false
      answer.writeHead(status, {
        'content-type': 'application/json',
        ...(status === 401 ? { 'www-authenticate': 'Basic realm="r"' } : {}),
      })
      answer.end(body)
      return true
    })
    const refused = await resolve('4')
    expect(codeOf(refused)).toBe(code)
    expect(refused).toMatchObject({ problem: { cause: expect.any(String) } })
  })

  it('logs in with what docker login left, and shows none of it', async () => {
    const digest = await published('5')
    const seen = new Set<string>()
    registry.meddle((asked, answer) => {
      seen.add(asked.headers.authorization ?? 'nobody')
      const isRight =
        asked.headers.authorization === `Basic ${Buffer.from('shop:hunter2').toString('base64')}`
      if (isRight) return false
      answer.writeHead(401, { 'www-authenticate': 'Basic realm="registry"' })
      answer.end()
      return true
    })
    expect(codeOf(await resolve('5'))).toBe('REGISTRY_DENIED')
    const login = (password: string) =>
      writeFileSync(
        path.join(home, '.docker', 'config.json'),
        JSON.stringify({
          auths: { [registry.host]: { auth: Buffer.from(`shop:${password}`).toString('base64') } },
        }),
      )
    login('wrong-hunter2')
    const refused = await resolve('5')
    expect(codeOf(refused)).toBe('REGISTRY_DENIED')
    expect(JSON.stringify(refused)).not.toContain('hunter2')
    login('hunter2')
    expect(mustOk(await resolve('5')).digest).toBe(digest)
    rmSync(path.join(home, '.docker', 'config.json'))
    expect(seen.size).toBe(3)
  })

  it('uses nothing whose bytes are not what the digest says', async () => {
    await published('6', 'sound')
    registry.meddle((asked, answer) => {
      const blob = /\/blobs\/(sha256:[0-9a-f]{64})/.exec(asked.url ?? '')?.[1]
      if (asked.method !== 'GET' || blob === undefined) return false
      const forged = Buffer.from('forged')
      answer.writeHead(200, { 'content-length': forged.length, 'docker-content-digest': blob })
      answer.end(forged)
      return true
    })
    expect(codeOf(await resolve('6'))).toBe('IMAGE_DIGEST_MISMATCH')
    registry.meddle(null)
    mustOk(await resolve('6'))
  })

  it('comes to a target through its agent, which tells doctor what is wrong with it', async () => {
    const fixture = await createAgentFixture()
    await fixture.launch({ env: { ...stand.env, DOCKER_CONFIG: path.join(home, '.docker') } })
    const target = createProcessTarget({
      socket: fixture.socket,
      artifacts: path.join(folder, 'artifacts'),
      startAgent: async () => ok(undefined),
    })
    try {
      // Nothing of this installation is a container: nobody is asked.
      expect(await target.diagnose?.([])).toEqual(ok([]))
      const one = await published('a1')
      const two = await published('a2')
      const request = { artifact: shop(), kind: 'image' as const }
      const image = `${registry.host}/shop@${one}`
      const found = mustOk(await target.resolve({ ...request, version: 'a1' }))
      expect(found).toMatchObject({ digest: one, image, folder: '', files: 0, warnings: [] })
      mustOk(await target.resolve({ ...request, version: 'a2' }))
      expect(mustOk(await target.prune([one]))).toEqual([two])
      const kept = [{ release: 'shop@a1', digest: one, image }]
      const said = async () => {
        const findings = mustOk((await target.diagnose?.(kept)) ?? ok([]))
        return findings.map(({ level, message }) => `${level}: ${message}`).join('\n')
      }
      expect(await said()).toMatch(/^warning: A restart of the Docker Engine ends every container.*$/)
      const Labels = {
        'io.sluice.folder': fixture.agentFolder,
        'io.sluice.instance': 'lost',
        'io.sluice.service': 'shop',
      }
      await stand.api('POST', '/containers/create?name=shop-lost', { Image: image, Cmd: ['x'], Labels })
      expect(await said()).toContain('The container shop-lost (created) carries the labels')
      await stand.api('DELETE', '/containers/shop-lost')
      await forget(pinName(fixture.agentFolder, { kind: 'pulled', digest: one }))
      expect(await said()).toContain(`The image ${image} of the release shop@a1 is not held`)
      await forget(image)
      expect(await said()).toContain(
        'It is pulled again by its digest as soon as an instance of it has to start',
      )
      registry.meddle((_, answer) => answer.writeHead(503).end() !== null)
      expect(await said()).toMatch(/cannot be pulled again: .* REGISTRY_UNREACHABLE: /)
    } finally {
      await fixture.close()
    }
  })

  it('pulls again what somebody has pruned, once for all who need it, and says when it cannot', async () => {
    const digest = await published('7')
    const { image } = mustOk(await resolve('7'))
    await make('only-here:1', 'only here')
    const local = mustOk(await resolve('1', 'only-here:{{version}}')).image
    const all = encodeURIComponent(JSON.stringify({ dangling: ['false'] }))
    const pruned = await stand.api('POST', `/images/prune?filters=${all}`)
    expect(pruned.status).toBe(200)
    expect([await isHere(image), await isHere(local)]).toEqual([false, false])
    expect(codeOf(await images.isPullable(image))).toBe('ok')
    expect(codeOf(await images.bringBack(local))).toBe('IMAGE_GONE')

    registry.meddle((_, answer) => answer.writeHead(503).end() !== null)
    expect(codeOf(await images.isPullable(image))).toBe('REGISTRY_UNREACHABLE')
    expect(codeOf(await images.bringBack(image))).toBe('REGISTRY_UNREACHABLE')
    registry.meddle(null)
    const before = registry.asked().length
    for (const brought of await Promise.all([1, 2, 3].map(() => images.bringBack(image)))) mustOk(brought)
    const manifests = registry
      .asked()
      .slice(before)
      .filter((one) => one.includes(`/manifests/${digest}`))
    expect(new Set(manifests).size).toBe(manifests.length)
    expect(await isHere(image)).toBe(true)
    // Held as before: the usual tidying leaves it.
    expect(mustOk(await images.pins()).map((pin) => pin.digest)).toContain(digest)
  })

  it('says that the disk of the engine is full, leaves nothing behind, and pulls once there is room', async () => {
    const large = 'x'.repeat(24 * 2 ** 20)
    const digest = await published('8', large)
    const small = await startDocker({ dataBytes: 16 * 2 ** 20 })
    try {
      const cramped = createImageStore({
        engine: createEngine(small.env),
        credentials: credentialsIn({ HOME: home }),
        folder: mkdtempSync(path.join(folder, 'cramped-')),
      })
      const refused = await cramped.resolve({ reference: shop(), version: '8' })
      expect(refused).toMatchObject({
        problem: { code: 'IMAGE_STORE_FULL', remedy: expect.stringContaining('docker system df') },
      })
      expect(JSON.parse((await small.api('GET', '/images/json?all=1')).body)).toEqual([])
      expect(mustOk(await cramped.pins())).toEqual([])
      execFileSync('mount', ['-o', `remount,size=${256 * 2 ** 20}`, path.join(small.folder, 'data')])
      expect(mustOk(await cramped.resolve({ reference: shop(), version: '8' })).digest).toBe(digest)
    } finally {
      await small.close()
    }
  })

  it('names a registry that is not there', async () => {
    expect(await resolve('1', '127.0.0.1:1/shop:{{version}}')).toMatchObject({
      problem: { code: 'REGISTRY_UNREACHABLE', retryable: true },
    })
  })
})

function mustOk<T>(result: Result<T>): T {
  if (result.kind === 'failed')
    throw new Error(`${result.problem.code}: ${result.problem.message}: ${result.problem.cause}`)
  return result.value
}
const codeOf = (result: Result<unknown>): string =>
  result.kind === 'ok'
    ? 'ok'
    : `${result.problem.code}${result.problem.code.endsWith('FAILED') ? ` ${result.problem.cause}` : ''}`
