import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Readable } from 'node:stream'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Problem, problem } from '../../../core/shared/problem.ts'
import { failed, ok } from '../../../core/shared/result.ts'
import type { Engine } from '../engine.ts'
import { createImageStore } from './image-store.ts'
import { pinName, readPin } from './pins.ts'

const DIGEST = `sha256:${'a'.repeat(64)}`
const ID = `sha256:${'b'.repeat(64)}`
const absent = problem('DOCKER_NOT_FOUND', { message: 'no', remedy: 'x', cause: 'No such image' })

/** An engine that answers each question, by its words, with what stands here; a problem is a failure. */
function engineThat(answers: Record<string, unknown>): Engine & { asked: string[] } {
  const asked: string[] = []
  return {
    asked,
    where: '/test.sock',
    isLocal: true,
    publishesAt: async () => ok('127.0.0.1'),
    ask: async ({ what }) => {
      asked.push(what)
      const found = Object.entries(answers).find(([words]) => what.startsWith(words))?.[1]
      const refusal = typeof found === 'function' ? null : Problem.safeParse(found)
      if (refusal?.success === true) return failed(refusal.data)
      // biome-ignore lint/suspicious/noExplicitAny: a damaged engine answers with anything.
      return ok((typeof found === 'function' ? found() : found) as any)
    },
  }
}
const HEALTHY = {
  'look at the image r.local/shop:1': absent,
  'look for': { Descriptor: { digest: DIGEST }, Platforms: [{ os: 'linux', architecture: 'amd64' }] },
  'look at the image r.local/shop@': {
    Id: ID,
    Size: 7,
    Os: 'linux',
    Architecture: 'amd64',
    RepoDigests: [`r.local/shop@${DIGEST}`],
  },
  'say what it runs on': { Os: 'linux', Arch: 'amd64' },
  'list its images': [],
  pin: undefined,
}

describe('the store of images', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'sluice-image-store-'))
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))
  const storeOn = (engine: Engine) => createImageStore({ engine, folder, credentials: async () => ok(null) })
  const resolveOn = async (answers: Record<string, unknown>) => {
    const found = await storeOn(engineThat({ ...HEALTHY, ...answers })).resolve({
      reference: 'r.local/shop:{{version}}',
      version: '1',
    })
    return found.kind === 'ok' ? found.value.digest : found.problem.code
  }

  it('asks no engine anything before it has held its first image', async () => {
    const engine = engineThat({})
    expect(await storeOn(engine).prune([])).toEqual(ok([]))
    expect(await storeOn(engine).pins()).toEqual(ok([]))
    expect(engine.asked).toEqual([])
  })

  it('refuses what does not carry the digest that was asked for, or is for another machine', async () => {
    const found = HEALTHY['look at the image r.local/shop@']
    expect(await resolveOn({})).toBe(DIGEST)
    expect(
      await resolveOn({
        'look at the image r.local/shop@': { ...found, RepoDigests: [`r.local/shop@${ID}`] },
      }),
    ).toBe('IMAGE_DIGEST_MISMATCH')
    expect(await resolveOn({ 'look at the image r.local/shop@': { ...found, Architecture: 'arm64' } })).toBe(
      'IMAGE_WRONG_PLATFORM',
    )
    expect(
      await resolveOn({
        'look for': { Descriptor: { digest: DIGEST }, Platforms: [{ os: 'linux', architecture: 'arm64' }] },
      }),
    ).toBe('IMAGE_WRONG_PLATFORM')
    // An index that names attestations beside its images.
    const unknown = { os: 'unknown', architecture: 'unknown' }
    expect(await resolveOn({ 'look for': { Descriptor: { digest: DIGEST }, Platforms: [unknown] } })).toBe(
      DIGEST,
    )
  })

  it('takes what is here for an absent one only where no registry ever had it', async () => {
    const denied = problem('DOCKER_FAILED', { message: 'no', remedy: 'x', cause: 'unauthorized' })
    const here = (...RepoDigests: string[]) =>
      resolveOn({
        'look for': denied,
        'look at the image r.local/shop:1': { Id: ID, Os: 'linux', Architecture: 'amd64', RepoDigests },
      })
    expect(await here()).toBe(ID)
    expect(await here(`r.local/shop@${ID}`)).toBe(ID)
    expect(await here(`r.local/shop@${DIGEST}`)).toBe('REGISTRY_DENIED')
  })

  it('does not believe a pull that ended well and left nothing', async () => {
    const pulled = () => Readable.from(['{"status":"done"}\n'])
    expect(await resolveOn({ 'look at the image r.local/shop@': absent, 'pull ': pulled })).toBe(
      'IMAGE_PULL_FAILED',
    )
  })

  it('asks no registry for what only this machine had, by its id, and shares one pull among all who need it', async () => {
    const gone = engineThat({ ...HEALTHY, 'look at the image sha256:': absent })
    const only = await storeOn(gone).bringBack(ID)
    expect(only).toMatchObject({ problem: { code: 'IMAGE_GONE', message: expect.stringContaining(ID) } })
    expect(await storeOn(gone).isPullable(ID)).toMatchObject({ problem: { code: 'IMAGE_GONE' } })
    expect(gone.asked.filter((words) => !words.startsWith('look at the image'))).toEqual([])

    let pulls = 0
    const brought = {
      ...HEALTHY,
      'look at the image r.local/shop@': () =>
        pulls === 0 ? null : HEALTHY['look at the image r.local/shop@'],
      'pull ': () => {
        pulls += 1
        return Readable.from(['{"status":"done"}\n'])
      },
    }
    const engine = engineThat(brought)
    const ask: Engine['ask'] = async (call, work) => {
      const answer = await engine.ask(call, work)
      return answer.kind === 'ok' && answer.value === null ? failed(absent) : answer
    }
    const store = storeOn({ ...engine, ask })
    const all = await Promise.all([1, 2, 3].map(() => store.bringBack(`r.local/shop@${DIGEST}`)))
    expect(all.map((one) => one.kind === 'ok' && one.value)).toEqual(Array(3).fill(`r.local/shop@${DIGEST}`))
    expect(pulls).toBe(1)
  })

  it('finds what is held, where tidying up has taken the digest from an image in use', async () => {
    const RepoTags = [pinName(folder, { kind: 'pulled', digest: DIGEST })]
    const engine = engineThat({
      ...HEALTHY,
      'look at the image r.local/shop@': absent,
      'list its images': [{ Id: ID, Size: 7, RepoTags }],
    })
    const named = `r.local/shop@${DIGEST}`
    expect(await storeOn(engine).bringBack(named)).toEqual(ok(ID))
    expect(await storeOn(engine).resolve({ reference: named, version: '' })).toMatchObject({
      value: { digest: DIGEST, image: named },
    })
    expect(engine.asked.filter((words) => words.startsWith('pull') || words.startsWith('look for'))).toEqual(
      [],
    )
  })

  it('answers in words whatever the engine answers', async () => {
    const damage = fc.anything({ maxDepth: 3, withNullPrototype: true })
    const question = fc.constantFrom(
      'look at the image r.local/shop:1',
      'look for',
      'look at the image r.local/shop@',
      'say what',
      'list its',
    )
    await fc.assert(
      fc.asyncProperty(question, damage, async (words, answer) => {
        const code = await resolveOn({
          ...Object.fromEntries([[words, answer]]),
          'say what it runs on': words === 'say what' ? answer : HEALTHY['say what it runs on'],
        })
        return code === DIGEST || /^[A-Z_]+$/.test(code) || code.startsWith('sha256:')
      }),
      { numRuns: 200 },
    )
  })
})

describe('a pin', () => {
  it('is read back as what it holds, and by its own installation only', () => {
    for (const kind of ['pulled', 'held'] as const) {
      const tag = pinName('/srv/a', { kind, digest: DIGEST })
      expect(readPin('/srv/a', tag)).toEqual({ kind, digest: DIGEST })
      expect(readPin('/srv/b', tag)).toBeNull()
    }
    for (const tag of ['shop:1', '<none>:<none>', '', 'sluice.local/pulled-x:sha256-1'])
      expect(readPin('/srv/a', tag)).toBeNull()
  })
})
