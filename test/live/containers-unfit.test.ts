import { execFile } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createEngine } from '../../src/agent/containers/engine.ts'
import { containerRun, startContainerStack, thingImage } from './kit/container-stack.ts'
import { type DockerStand, startDocker, whyNoDocker } from './kit/docker.ts'
import { eventually } from './kit/settle.ts'
import { smallImage } from './kit/small-image.ts'
import { quickHealth, type Stack } from './kit/stack.ts'
import { startTraffic } from './kit/traffic.ts'

const why = whyNoDocker()
const MIB = 2 ** 20
const { command: _own, ...run } = containerRun
const file = { run, health: { ...quickHealth, deadline: '15s' } }

describe.skipIf(why !== null)(`what an engine cannot run${why === null ? '' : ` (${why})`}`, () => {
  let engine: DockerStand

  /** Stable serves on, nobody noticed anything, and nothing of the other version is left. */
  const untouched = async (stack: Stack, traffic: Awaited<ReturnType<typeof startTraffic>>) => {
    expect((await stack.get('/')).version).toBe('1.0.0')
    expect(traffic.load.stats().lost.samples).toEqual([])
    await eventually('two containers are left', async () => (await engine.containers()).length === 2)
    expect(await engine.running()).toHaveLength(2)
  }
  /** Deploys what never becomes ready. Answers with why it went back. */
  const refusedBy = async (stack: Stack, version: string): Promise<string> => {
    const { outcome, reason } = await stack.deploy(version)
    expect(outcome).toBe('rolled_back')
    return reason.message
  }

  describe('a program of another processor', () => {
    beforeAll(async () => {
      engine = await startDocker()
      await thingImage(engine, '1.0.0', {}, SERVES)
      const changes = ['CMD ["/app/foreign"]']
      await engine.importImage('thing:1.1.0', { foreign: foreignProgram() }, changes)
      const small = { name: 'thing:1.2.0', content: 'x', architecture: 'riscv64' }
      await createEngine(engine.env).ask({ what: 'load an image' }, async (docker) => {
        for await (const _ of await docker.loadImage(smallImage(small)));
      })
    })
    afterAll(() => engine.close())

    it('goes back where only running it tells, and is refused where its image says so', async () => {
      const stack = await startContainerStack(engine, { file })
      const traffic = await startTraffic(stack, { webSockets: 0 })
      expect(await refusedBy(stack, '1.1.0')).toMatch(
        /DOCKER_EXEC_FORMAT: what .* runs is not made for this machine .*docker build --platform/,
      )
      expect(await stack.refusal('deploy', { service: 'thing', version: '1.2.0' })).toBe(
        'IMAGE_WRONG_PLATFORM',
      )
      await untouched(stack, traffic)
      await traffic.stop()
    })
  })

  describe('a disk that is full', () => {
    beforeAll(async () => {
      engine = await startDocker({ dataBytes: 400 * MIB })
      await thingImage(engine, '1.0.0', {}, SERVES)
      await engine.api('POST', '/images/thing:1.0.0/tag?repo=thing&tag=1.1.0')
    })
    afterAll(() => engine.close())

    it('makes a deployment go back with the remedy, and is no obstacle any more once there is room', async () => {
      const stack = await startContainerStack(engine, { file })
      const traffic = await startTraffic(stack, { webSockets: 0 })
      const filler = path.join(engine.folder, 'data', 'filler')
      await fill(filler)
      expect(await refusedBy(stack, '1.1.0')).toMatch(/DOCKER_DISK_FULL: .*docker system df/)
      await untouched(stack, traffic)

      rmSync(filler)
      await engine.api('POST', '/images/thing:1.0.0/tag?repo=thing&tag=1.2.0')
      expect((await stack.deploy('1.2.0')).outcome).toBe('promoted')
      expect((await traffic.stop()).requests.lost.samples).toEqual([])
    })
  })
})

const SERVES = ['CMD ["/usr/local/bin/node","/app/server.js"]']

const E_MACHINE_AT = 18
const [X86_64, AARCH64] = [0x3e, 0xb7]

/** The program that runs this test, made one of another processor by the number that the kernel looks at. */
function foreignProgram(): Buffer {
  const program = Buffer.from(readFileSync(process.execPath).subarray(0, 64 * 1024))
  program[E_MACHINE_AT] = program[E_MACHINE_AT] === X86_64 ? AARCH64 : X86_64
  return program
}

/** Until not even one more page fits; by others, since users are served meanwhile. */
async function fill(filler: string): Promise<void> {
  for (const size of ['1M', '4k']) {
    const words = ['if=/dev/zero', `of=${filler}`, `bs=${size}`, 'oflag=append', 'conv=notrunc']
    await promisify(execFile)('dd', words).catch((error: unknown) => {
      if (!String(error).includes('No space left on device')) throw error
    })
  }
}
