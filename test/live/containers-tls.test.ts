import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createEngine, type Engine } from '../../src/agent/containers/engine.ts'
import { freePort } from '../../src/testkit/free-port.ts'
import { type Authority, makeAuthority } from './kit/certificates.ts'
import { startContainerStack, thingImage } from './kit/container-stack.ts'
import { type DockerStand, startDocker, whyNoDocker } from './kit/docker.ts'
import { anotherMachine } from './kit/docker-network.ts'
import { eventually } from './kit/settle.ts'
import { startTraffic } from './kit/traffic.ts'

const why = whyNoDocker()

describe.skipIf(why !== null)(`an engine on another machine${why === null ? '' : ` (${why})`}`, () => {
  let folder: string
  let authority: Authority
  let stranger: Authority
  let stand: DockerStand

  beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'sluice-tls-'))
    authority = makeAuthority(path.join(folder, 'authority'))
    stranger = makeAuthority(path.join(folder, 'stranger'))
    stand = await startDocker({
      network: anotherMachine,
      words: ({ addresses }) => {
        serveWith(addresses)
        const files = [
          '--tlscacert',
          authority.ca,
          '--tlscert',
          at('server.pem'),
          '--tlskey',
          at('server-key.pem'),
        ]
        return ['--host', 'tcp://0.0.0.0:2376', '--tlsverify', ...files]
      },
    })
  })
  afterAll(async () => {
    await stand?.close()
    rmSync(folder, { recursive: true, force: true })
  })

  const at = (name: string): string => path.join(folder, name)
  /** What the engine shows from its next start on: good for its first address alone. */
  const serveWith = (addresses: readonly string[], days = 2): void => {
    const pair = authority.sign('server', { addresses: addresses.slice(0, 1), days })
    copyFileSync(pair.cert, at('server.pem'))
    copyFileSync(pair.key, at('server-key.pem'))
  }
  /** A folder as DOCKER_CERT_PATH names it. */
  const certificates = (
    name: string,
    { ca = authority.ca, by = authority as Authority | null } = {},
  ): string => {
    mkdirSync(at(name), { recursive: true })
    copyFileSync(ca, path.join(at(name), 'ca.pem'))
    if (by === null) return at(name)
    const pair = by.sign(`client-${name}`)
    copyFileSync(pair.cert, path.join(at(name), 'cert.pem'))
    copyFileSync(pair.key, path.join(at(name), 'key.pem'))
    return at(name)
  }
  const envOf = (certPath: string, host = `${stand.addresses[0]}:2376`) => ({
    DOCKER_HOST: `tcp://${host}`,
    DOCKER_TLS_VERIFY: '1',
    DOCKER_CERT_PATH: certPath,
  })
  const ask = async (engine: Engine): Promise<string> => {
    const found = await engine.ask({ what: 'tell its version' }, (docker) => docker.version())
    if (found.kind === 'ok') return 'answered'
    const { code, message, cause, remedy } = found.problem
    expect([cause, remedy].map((words) => (words ?? '').length > 0)).toEqual([true, true])
    return `${code}: ${message}. ${remedy}`
  }

  it('is asked with TLS, and each way in which that fails is told apart', async () => {
    const [first, second] = stand.addresses
    expect(await ask(createEngine(envOf(certificates('good'))))).toBe('answered')
    expect(await ask(createEngine(envOf(certificates('other-ca', { ca: stranger.ca }))))).toMatch(
      /^DOCKER_CERTIFICATE_UNTRUSTED: .*not from the authority in .*other-ca\/ca\.pem/,
    )
    expect(await ask(createEngine(envOf(at('good'), `${second}:2376`)))).toMatch(
      /^DOCKER_CERTIFICATE_UNTRUSTED: .*for another name or address/,
    )
    expect(await ask(createEngine(envOf(certificates('by-stranger', { by: stranger }))))).toMatch(
      /^DOCKER_CERTIFICATE_REFUSED: /,
    )
    expect(await ask(createEngine({ DOCKER_HOST: `tcp://${first}:2376` }))).toMatch(
      /^DOCKER_TLS_MISMATCH: .*speaks TLS, and was asked without\. Set DOCKER_TLS_VERIFY=1/,
    )
    expect(await ask(createEngine(envOf(at('nowhere'))))).toMatch(/^DOCKER_CERTIFICATE_UNREADABLE: /)
  })

  it('is asked again with certificates that were put right meanwhile, without a new start', async () => {
    const engine = createEngine(envOf(certificates('late', { by: null })))
    expect(await ask(engine)).toMatch(/^DOCKER_CERTIFICATE_REFUSED: .*got none.*cert\.pem and key\.pem/)
    certificates('late')
    expect(await ask(engine)).toBe('answered')
  })

  it('is not believed without TLS, whoever answers in its place', async () => {
    const plain = createServer((_, answer) => answer.end('{}'))
    const port = await freePort()
    await new Promise<void>((resolve) => plain.listen(port, '127.0.0.1', resolve))
    expect(await ask(createEngine(envOf(certificates('good'), `127.0.0.1:${port}`)))).toMatch(
      /^DOCKER_TLS_MISMATCH: .*does not speak TLS/,
    )
    plain.close()
  })

  it('is not believed with a certificate that has expired, until it has a new one', async () => {
    const engine = createEngine(envOf(certificates('good')))
    await stand.stop()
    serveWith(stand.addresses, -1)
    await stand.start()
    expect(await ask(engine)).toMatch(/^DOCKER_CERTIFICATE_UNTRUSTED: .*has expired.*tlscert/)
    await stand.stop()
    serveWith(stand.addresses)
    await stand.start()
    expect(await ask(engine)).toBe('answered')
  })

  it('runs releases that are reached over the network, and no request is lost', async () => {
    for (const version of ['1.0.0', '1.1.0']) await thingImage(stand, version)
    await thingImage(stand, '1.2.0', { errorShare: 0.5 })
    const stack = await startContainerStack(stand, { env: envOf(certificates('good')) })
    const traffic = await startTraffic(stack, { webSockets: 2 })
    const [instance] = (await stack.view()).sets.flatMap(({ instances }) => instances)
    expect(instance?.host).toBe(stand.addresses[0])
    const rollout = await stack.begin('1.1.0')
    await stack.weight('1.1.0', 300)
    await stack.kill('agent')
    expect(await stack.outcome(rollout)).toBe('promoted')
    expect((await stack.deploy('1.2.0')).outcome).toBe('rolled_back')
    expect((await stack.get('/')).version).toBe('1.1.0')
    const { requests, webSockets } = await traffic.stop()
    expect([requests.lost.samples, webSockets.unexpectedCloses]).toEqual([[], 0])
    await eventually('only stable is left', async () => (await stand.running()).length === 2)
    expect((await stack.cli('logs', '--lines', '50')).out).toContain('version 1.1.0 listens on 3000')
    await stack.cli('down', '--yes')
    expect(await stand.containers()).toEqual([])
  })
})
