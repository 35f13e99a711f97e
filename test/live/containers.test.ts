import { existsSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import * as z from 'zod'
import { type AgentFixture, createAgentFixture } from '../../src/agent/agent-fixture.ts'
import type { ContainerSpec } from '../../src/core/shared/container-spec.ts'
import type { Instance } from '../../src/core/shared/instance.ts'
import type { SetSpec } from '../../src/core/shared/set-spec.ts'
import { slowness } from '../../src/testkit/slowness.test.kit.ts'
import { type DockerStand, startDocker, whyNoDocker } from './kit/docker.ts'

const SECRET = 'hunter2hunter2'
/** From the moment something happens to the moment that an observer is told. */
const SEEN_WITHIN_MS = 1500

const APP = `
import { createServer } from 'node:http'
import { existsSync, readFileSync } from 'node:fs'
const { MODE, PORT, RELEASE } = process.env
console.log('hello from ' + RELEASE)
if (process.env.TOKEN) console.log('token=' + process.env.TOKEN)
if (MODE === 'exit') process.exit(3)
if (MODE !== 'stubborn') process.on('SIGTERM', () => process.exit(0))
process.on('SIGUSR1', () => console.log('quiesced'))
const held = []
createServer((request, response) => {
  const url = request.url
  if (url === '/crash') process.exit(7)
  if (url === '/env') return response.end(JSON.stringify(process.env))
  if (url === '/secret') return response.end(existsSync('/run/secrets/TOKEN') ? readFileSync('/run/secrets/TOKEN') : 'none')
  if (url.startsWith('/say/')) console.log(url.slice(5))
  if (url === '/eat') setInterval(() => held.push(Buffer.alloc(16e6, 1)), 5)
  response.end('ok')
}).listen(Number(PORT), MODE === 'inside' ? '127.0.0.1' : undefined)
`

const why = whyNoDocker()

describe('containers', () => {
  let stand: DockerStand
  let image: string
  let fixture: AgentFixture
  beforeEach(({ skip }) => skip(why !== null, why ?? ''))
  beforeAll(async () => {
    if (why !== null) return
    stand = await startDocker()
    image = await stand.importImage('shop:1', { 'app.mjs': APP, garbage: 'no program' })
    fixture = await createAgentFixture()
    writeFileSync(path.join(fixture.folder, 'secrets.env'), `TOKEN=${SECRET}\n`, { mode: 0o600 })
    await fixture.launch({ env: stand.env })
  })
  afterAll(async () => {
    if (why !== null) return
    await fixture.close()
    await stand.close()
  })

  const spec = (release: string, more: Partial<SetSpec> = {}): SetSpec =>
    fixture.spec(release, {
      command: [],
      folder: '',
      container: { image, port: 8080, network: null, volumes: [], secretFiles: false },
      ...more,
    })
  let sequence = 0
  const put = (of: SetSpec, replicas: number) => fixture.put(of, replicas, ++sequence)
  const one = async (release: string, holds: (instance: Instance) => boolean): Promise<Instance> => {
    const find = (all: Instance[]) => all.find((it) => it.release === release && holds(it))
    const found = find(await fixture.until((all) => find(all) !== undefined))
    if (found === undefined) throw new Error('gone again')
    return found
  }

  const inspect = async (id: string) => JSON.parse((await stand.api('GET', `/containers/${id}/json`)).body)
  const ask = async ({ host, port }: Instance, path: string) =>
    (await fetch(`http://${host}:${port}${path}`, { signal: AbortSignal.timeout(5000) })).text()
  const logsOf = async (release: string): Promise<string[]> => {
    const { body } = await fixture.call('GET', `/services/shop/logs?release=${release}&lines=100`)
    return z
      .array(z.object({ line: z.string() }))
      .parse(body)
      .map(({ line }) => line)
  }
  const byInstance = async (id: string) => {
    const filters = encodeURIComponent(JSON.stringify({ label: [`io.sluice.instance=${id}`] }))
    const found = JSON.parse((await stand.api('GET', `/containers/json?all=1&filters=${filters}`)).body)
    return z.array(z.object({ Id: z.string(), State: z.string() })).parse(found)
  }
  const emptied = async (release: string) => {
    await fixture.remove(release, ++sequence)
    await fixture.until((all) => all.every((it) => it.release !== release || it.state === 'gone'))
  }

  it('are made as asked: labels, limits, variables, the command, and never a restart by the engine', async () => {
    const own = {
      image,
      port: 8080,
      network: null,
      volumes: [],
      secretFiles: false,
      cpus: 0.5,
      memoryBytes: 2 ** 28,
    }
    const command = ['/usr/local/bin/node', 'app.mjs', '--port={{port}}']
    await put(spec('made', { container: own, command, secrets: ['TOKEN'], env: { WHERE: '{{port}}' } }), 1)
    const ready = await one('made', ({ state }) => state === 'ready')
    expect(ready.host).toMatch(/^10\./)
    const env = JSON.parse(await ask(ready, '/env'))
    expect(env).toMatchObject({ PORT: '8080', WHERE: '8080', SLUICE_VERSION: '1.0.0', TOKEN: SECRET })
    const [found] = await byInstance(ready.id)
    expect(await inspect(found?.Id ?? '')).toMatchObject({
      Name: `/${ready.id}`,
      Config: {
        Cmd: ['/usr/local/bin/node', 'app.mjs', '--port=8080'],
        Labels: {
          'io.sluice.service': 'shop',
          'io.sluice.release': 'made',
          'io.sluice.version': '1.0.0',
          'io.sluice.epoch': '1',
          'io.sluice.sequence': String(sequence),
          'io.sluice.folder': fixture.agentFolder,
        },
      },
      HostConfig: {
        NanoCpus: 500_000_000,
        Memory: 2 ** 28,
        MemorySwap: 2 ** 28,
        RestartPolicy: { Name: 'no' },
      },
    })
    await expect.poll(() => logsOf('made')).toContain('token=[redacted]')
    await emptied('made')
    expect(await byInstance(ready.id)).toEqual([])
  })

  it('get secrets as files that are in memory and for nobody else, and lose them with their end', async () => {
    const container = { image, port: 8080, network: null, volumes: [], secretFiles: true }
    await put(spec('files', { container, secrets: ['TOKEN'] }), 1)
    const ready = await one('files', ({ state }) => state === 'ready')
    expect(await ask(ready, '/secret')).toBe(SECRET)
    expect(await ask(ready, '/env')).not.toContain(SECRET)
    const [found] = await byInstance(ready.id)
    const shown = await inspect(found?.Id ?? '')
    expect(JSON.stringify(shown)).not.toContain(SECRET)
    const folder: string = shown.HostConfig.Mounts[0].Source
    expect(statSync(path.dirname(folder)).mode & 0o777).toBe(0o700)
    await emptied('files')
    expect(existsSync(folder)).toBe(false)
  })

  it('end in time: asked first, then killed, and how is read back', async () => {
    await put(spec('polite'), 1)
    await put(spec('deaf', { env: { MODE: 'stubborn' }, stopGraceMs: 500 }), 1)
    await one('polite', ({ state }) => state === 'ready')
    await one('deaf', ({ state }) => state === 'ready')
    await Promise.all([emptied('polite'), emptied('deaf')])
    const gone = await fixture.until((all) => all.every(({ state }) => state === 'gone'))
    const exits = Object.fromEntries(gone.map(({ release, lastExit }) => [release, lastExit]))
    expect(exits.polite).toMatchObject({ code: 0, signal: null, cause: 'stopped-by-us' })
    expect(exits.deaf).toMatchObject({ code: null, signal: 'SIGKILL', cause: 'stopped-by-us' })
    expect(await stand.containers()).toEqual([])
  })

  it('start again after a crash, an end by hand and a removal by hand, each seen within a second', async () => {
    await put(spec('falls'), 1)
    const first = await one('falls', ({ state }) => state === 'ready')
    await ask(first, '/crash').catch(() => '')
    const crashedAt = Date.now()
    const crashed = await one('falls', ({ crashes }) => crashes === 1)
    expect(Date.now() - crashedAt).toBeLessThan(SEEN_WITHIN_MS * slowness())
    expect(crashed.lastExit).toMatchObject({ code: 7, cause: 'exited' })
    await one('falls', ({ state }) => state === 'ready')
    const [second] = await byInstance(first.id)
    await stand.api('POST', `/containers/${second?.Id}/kill`)
    const killed = await one('falls', ({ crashes }) => crashes === 2)
    expect(killed.lastExit).toMatchObject({ signal: 'SIGKILL', cause: 'killed-unknown' })
    await one('falls', ({ state }) => state === 'ready')
    const [third] = await byInstance(first.id)
    await stand.api('DELETE', `/containers/${third?.Id}?force=1`)
    await one('falls', ({ crashes }) => crashes === 3)
    await one('falls', ({ state }) => state === 'ready')
    const [fourth] = await byInstance(first.id)
    await stand.api('POST', `/containers/${fourth?.Id}/restart?t=5`)
    await one('falls', ({ crashes, state }) => crashes === 4 && state === 'ready')
    // What somebody restarted is taken up as it is, and can still be asked to end.
    expect((await byInstance(first.id)).map(({ Id }) => Id)).toEqual([fourth?.Id])
    await emptied('falls')
    const gone = await one('falls', ({ state }) => state === 'gone')
    expect(gone.lastExit).toMatchObject({ code: 0, cause: 'stopped-by-us' })
  })

  it('tell that they ran out of memory, and that somebody paused them', async () => {
    const container = {
      image,
      port: 8080,
      network: null,
      volumes: [],
      secretFiles: false,
      memoryBytes: 128 * 2 ** 20,
    }
    await put(spec('hungry', { container }), 1)
    const ready = await one('hungry', ({ state }) => state === 'ready')
    await ask(ready, '/eat')
    expect((await one('hungry', ({ crashes }) => crashes > 0)).lastExit).toMatchObject({ cause: 'oom' })
    const again = await one('hungry', ({ state }) => state === 'ready')
    const [found] = await byInstance(again.id)
    await stand.api('POST', `/containers/${found?.Id}/pause`)
    const paused = await one('hungry', ({ state }) => state === 'unready')
    expect(paused.lastProbeFailure?.message).toBe(
      `its container was paused by somebody: docker unpause ${again.id}`,
    )
    // Paused or not, it can be stopped.
    await emptied('hungry')
  })

  it('run the programs of checks inside, and end one that never ends', async () => {
    const node = '/usr/local/bin/node'
    const check = {
      kind: 'command' as const,
      command: [node, '-e', 'process.exit(process.env.RELEASE === "asked" ? 0 : 1)'],
    }
    const endless = {
      kind: 'command' as const,
      command: [node, '-e', 'setInterval(() => {}, 1000)', 'endless'],
    }
    const phases = { intervalMs: 100, timeoutMs: 5000, successes: 1, failures: 1, deadlineMs: 20_000 }
    await put(spec('asked', { health: { check, ...phases } }), 1)
    await one('asked', ({ state }) => state === 'ready')
    await put(spec('stuck', { health: { check: endless, ...phases, timeoutMs: 500, deadlineMs: 60_000 } }), 1)
    const tooLong = /did not (end|run .*) within (500 ms|0\.5 s)/
    const stuck = await one('stuck', ({ lastProbeFailure }) => tooLong.test(lastProbeFailure?.message ?? ''))
    const [found] = await byInstance(stuck.id)
    const running = async () =>
      (await stand.api('GET', `/containers/${found?.Id}/top`)).body.split('endless').length - 1
    await expect.poll(running).toBeLessThanOrEqual(1)
    await Promise.all([emptied('asked'), emptied('stuck')])
  })

  it('that cannot start say why and what to do, and leave nothing behind', async () => {
    const made = (more: Partial<ContainerSpec>) => ({
      container: { image, port: 8080, network: null, volumes: [], secretFiles: false, ...more },
    })
    const bind = { source: '/nowhere/at/all', target: '/data', readOnly: true }
    const cases: Record<string, [more: Partial<SetSpec>, says: RegExp]> = {
      image: [
        made({ image: `sha256:${'0'.repeat(64)}` }),
        /^DOCKER_IMAGE_MISSING: .*IMAGE_GONE, .*Build that version again/,
      ],
      network: [made({ network: 'nowhere' }), /^DOCKER_NETWORK_MISSING: .*docker network create nowhere/],
      host: [made({ network: 'host' }), /^DOCKER_NETWORK_UNUSABLE: /],
      volume: [made({ volumes: [bind] }), /^DOCKER_VOLUME_UNUSABLE: .*\/nowhere\/at\/all/],
      command: [{ command: ['/bin/nothing'] }, /^DOCKER_COMMAND_UNUSABLE: .*\/bin\/nothing/],
      secret: [{ secrets: ['NOT_THERE'] }, /^SECRET_MISSING: /],
      inside: [{ env: { MODE: 'inside' } }, /listens on 127\.0\.0\.1:8080 inside its container/],
      format: [{ command: ['/app/garbage'] }, /^DOCKER_EXEC_FORMAT: /],
    }
    for (const [release, [more]] of Object.entries(cases)) await put(spec(release, more), 1)
    for (const [release, [, says]] of Object.entries(cases))
      await one(release, ({ lastProbeFailure }) => says.test(lastProbeFailure?.message ?? ''))
    await Promise.all(Object.keys(cases).map(emptied))
    expect(await stand.containers()).toEqual([])
  })
})
