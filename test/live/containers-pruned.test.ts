import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { createAgentFixture } from '../../src/agent/agent-fixture.ts'
import { createEngine } from '../../src/agent/containers/engine.ts'
import { containerRun, startContainerStack, thingImage } from './kit/container-stack.ts'
import { type DockerStand, startDocker, whyNoDocker } from './kit/docker.ts'
import { type RegistryStand, startRegistry, whyNoRegistry } from './kit/registry.ts'
import { eventually } from './kit/settle.ts'
import { startTraffic } from './kit/traffic.ts'

const why = whyNoDocker() ?? whyNoRegistry()
/** A whole Node, layer by layer. */
const PUSH_LIMIT_MS = 120_000
const ALL = encodeURIComponent(JSON.stringify({ dangling: ['false'] }))

describe.skipIf(why !== null)(`images that somebody has pruned${why === null ? '' : ` (${why})`}`, () => {
  let engine: DockerStand
  let registry: RegistryStand

  beforeAll(async () => {
    engine = await startDocker()
    registry = await startRegistry()
    const base = await thingImage(engine, 'base')
    const made = await engine.api('POST', '/containers/create', { Image: base })
    for (const version of ['1.0.0', '1.1.0', '1.2.0']) await publish(version, JSON.parse(made.body).Id)
    await engine.api('DELETE', `/containers/${JSON.parse(made.body).Id}`)
    await prune()
  })
  afterEach(() => registry.meddle(null))
  afterAll(async () => {
    await registry?.close()
    await engine?.close()
  })

  /** In the registry; all but what differs is shared, so that it is sent once. */
  const publish = async (version: string, container: string): Promise<void> => {
    const to = new URLSearchParams({ container, repo: `${registry.host}/thing`, tag: version })
    await engine.api('POST', `/commit?${to}&changes=LABEL%20v=${version}`)
    const pushed = await createEngine(engine.env).ask(
      { what: 'push', limitMs: PUSH_LIMIT_MS },
      async (docker) => {
        const image = docker.getImage(`${registry.host}/thing:${version}`)
        for await (const _ of await image.push({ authconfig: { username: 'a', password: 'b' } }));
      },
    )
    expect(pushed.kind).toBe('ok')
  }
  /** `docker image prune --all` */
  const prune = async (): Promise<void> => {
    expect((await engine.api('POST', `/images/prune?filters=${ALL}`)).status).toBe(200)
  }
  const down = (): void => registry.meddle((_, answer) => answer.writeHead(503).end() !== null)
  const images = async (): Promise<string[]> => {
    const found: { Id: string }[] = JSON.parse((await engine.api('GET', '/images/json')).body)
    return found.map(({ Id }) => Id)
  }

  it('are pulled again for a rollback, which is refused while nobody has them', async () => {
    const file = { run: { ...containerRun, image: `${registry.host}/thing:{{version}}` } }
    const stack = await startContainerStack(engine, { file })
    const traffic = await startTraffic(stack, { webSockets: 0 })
    expect((await stack.deploy('1.1.0')).outcome).toBe('promoted')
    await eventually('only stable is left', async () => (await engine.containers()).length === 2)
    await prune()
    expect(await images()).toHaveLength(1)
    expect((await stack.cli('doctor')).out).toMatch(/is pulled again by its digest as soon as an instance/)

    down()
    expect((await stack.cli('doctor')).out).toMatch(/cannot be pulled again: .*REGISTRY_UNREACHABLE/)
    const refused = await stack.cli('rollback')
    expect(refused.code).toBe(13)
    expect(refused.out + refused.err).toMatch(/The image of 1\.0\.0 \(.*@sha256:.*\).*REGISTRY_UNREACHABLE/)
    expect((await stack.get('/')).version).toBe('1.1.0')
    // What runs is on the disk still, and held: it can start again, whatever the registry does.
    const [first] = await engine.running()
    await engine.api('DELETE', `/containers/${first}?force=1`)
    await eventually('both run again', async () => {
      const running = await engine.running()
      return running.length === 2 && !running.includes(first ?? '')
    })

    registry.meddle(null)
    const back = await stack.cli('rollback')
    expect([back.code, (await stack.get('/')).version]).toEqual([0, '1.0.0'])
    expect((await traffic.stop()).requests.lost.samples).toEqual([])
  })

  it('are pulled again where an instance has to start, which says what it waits for', async () => {
    const manifest = await fetch(`http://${registry.host}/v2/thing/manifests/1.2.0`, ACCEPT)
    const digest = manifest.headers.get('docker-content-digest')
    const image = `${registry.host}/thing@${digest}`
    const fixture = await createAgentFixture()
    await fixture.launch({ env: engine.env })
    try {
      const container = { image, port: 3000, network: null, volumes: [], secretFiles: false }
      const more = {
        command: ['/usr/local/bin/node', '/app/server.js'],
        folder: '',
        env: { HOST: '0.0.0.0' },
      }
      const spec = fixture.spec('pruned', { ...more, container })
      down()
      await fixture.put({ ...spec, health: { ...spec.health, deadlineMs: 120_000 } }, 2, 1)
      const waiting = await fixture.until((all) =>
        all.some(
          ({ lastProbeFailure }) => lastProbeFailure?.message.startsWith('DOCKER_IMAGE_MISSING') === true,
        ),
      )
      expect(waiting.map(({ lastProbeFailure }) => lastProbeFailure?.message).join()).toMatch(
        /cannot be pulled again: REGISTRY_UNREACHABLE, /,
      )
      registry.meddle(null)
      await fixture.until((all) => all.length === 2 && all.every(({ state }) => state === 'ready'))
      expect((await engine.api('GET', `/images/${encodeURIComponent(image)}/json`)).status).toBe(200)
    } finally {
      await fixture.close()
      for (const id of await engine.containers()) await engine.api('DELETE', `/containers/${id}?force=1`)
    }
  })
})

const ACCEPT = { headers: { accept: 'application/vnd.docker.distribution.manifest.v2+json' } }
