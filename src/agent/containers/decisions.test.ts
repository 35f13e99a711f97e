import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ContainerSpec } from '../../core/shared/container-spec.ts'
import { problem } from '../../core/shared/problem.ts'
import type { SetSpec } from '../../core/shared/set-spec.ts'
import { describeListenersInside } from '../processes/wrong-port.ts'
import { exitOf, stateOf } from './container-state.ts'
import { createDemux } from './demux.ts'
import { engineAddress, isThisMachine } from './engine-address.ts'
import { LABEL, labelsOf, nameOf, newerThan, tokenOf } from './labels.ts'
import {
  after,
  bytesToSkip,
  type LogMessage,
  type LogPosition,
  readMessage,
  sinceOf,
} from './log-position.ts'
import { newContainer } from './new-container.ts'
import { gatewaysOf, isOwnAddress, placeOf, reachOf } from './place.ts'
import { startFailure, toldAs } from './start-problem.ts'

const container: ContainerSpec = {
  image: 'shop@sha256:1',
  port: 8080,
  network: null,
  volumes: [],
  secretFiles: false,
}
const spec: SetSpec & { container: ContainerSpec } = {
  service: 'shop',
  release: 'shop@1',
  version: '1.0.0',
  command: [],
  folder: '',
  container,
  env: { AT: 'http://0.0.0.0:{{port}}', PORT: '1' },
  secrets: ['TOKEN'],
  health: { path: '/up', intervalMs: 1, timeoutMs: 1, successes: 1, failures: 1, deadlineMs: 1 },
  stopGraceMs: 1,
}
const token = (epoch: number, sequence: number) => ({ epoch, sequence, rollout: null })

describe('a new container', () => {
  const request = {
    spec,
    instance: 'shop-1',
    labels: {},
    secrets: { TOKEN: 'x' },
    secretFolder: null,
    published: null,
  }

  it('runs what its image names, with the port inside and its secrets as variables', () => {
    const made = newContainer(request)
    expect(made).not.toHaveProperty('Cmd')
    expect(made.Env).toEqual(['AT=http://0.0.0.0:8080', 'PORT=8080', 'TOKEN=x', 'SLUICE_VERSION=1.0.0'])
    expect(made.HostConfig).not.toHaveProperty('PortBindings')
  })

  it('is published on this machine alone, at the port that was chosen for it', () => {
    const { PortBindings } =
      newContainer({ ...request, published: { host: '127.0.0.1', port: 4711 } }).HostConfig ?? {}
    expect(PortBindings).toEqual({ '8080/tcp': [{ HostIp: '127.0.0.1', HostPort: '4711' }] })
  })

  it('has no secret among its variables when it gets them as files', () => {
    const made = newContainer({ ...request, secretFolder: '/run/x' })
    expect(JSON.stringify(made.Env)).not.toContain('TOKEN')
    const mount = { Type: 'bind', Source: '/run/x', Target: '/run/secrets', ReadOnly: true }
    expect(made.HostConfig?.Mounts).toEqual([mount])
  })

  it('has a name that the engine takes, however hostile the name of its service is', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 300 }), (service) => {
        expect(nameOf(`${service}-0123456789`)).toMatch(/^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,99}$/)
      }),
    )
  })
})

describe('the token in labels', () => {
  const owner = { service: 's', release: 'r', version: 'v', instance: 'i', folder: 'f' }

  it('comes back as it was, and what somebody else wrote there is none', () => {
    expect(tokenOf(labelsOf(owner, token(3, 14)))).toEqual(token(3, 14))
    for (const epoch of ['', '-1', '1e3', ' 1', '9'.repeat(40)])
      expect(tokenOf({ [LABEL.epoch]: epoch, [LABEL.sequence]: '1' })).toBeNull()
  })

  it('refuses only what is older than the highest that was seen', () => {
    const seen = [token(1, 9), token(2, 3), token(2, 1)].map((one) => labelsOf(owner, one))
    expect(newerThan(token(2, 3), seen)).toBeNull()
    expect(newerThan(token(3, 0), seen)).toBeNull()
    expect(newerThan(token(2, 2), seen)).toEqual(token(2, 3))
    expect(newerThan(token(1, 99), seen)).toEqual(token(2, 3))
    expect(newerThan(null, [])).toBeNull()
  })
})

describe('how a container ended', () => {
  const told = { at: 5, endedByUs: null }

  it('is read from its code: above 128 stands a signal', () => {
    expect(exitOf({ code: 7, outOfMemory: false }, told)).toMatchObject({
      code: 7,
      signal: null,
      cause: 'exited',
    })
    const killed = exitOf({ code: 137, outOfMemory: false }, told)
    expect(killed).toMatchObject({ code: null, signal: 'SIGKILL', cause: 'killed-unknown' })
    expect(exitOf({ code: 139, outOfMemory: false }, told)).toMatchObject({
      signal: 'SIGSEGV',
      cause: 'exited',
    })
    expect(exitOf({ code: 143, outOfMemory: false }, { at: 5, endedByUs: 'stopped-by-us' })).toMatchObject({
      signal: 'SIGTERM',
      cause: 'stopped-by-us',
    })
    expect(exitOf({ code: 255, outOfMemory: false }, told)).toMatchObject({ code: 255, signal: null })
  })

  it('is a lack of memory only where the kernel killed its first program', () => {
    expect(exitOf({ code: 137, outOfMemory: true }, told).cause).toBe('oom')
    // One of its children was killed for it, and it ended by itself.
    expect(exitOf({ code: 1, outOfMemory: true }, told)).toMatchObject({ code: 1, cause: 'exited' })
  })

  it('is not asked of one that runs, is paused, is started again by the engine, or never ran', () => {
    const State = {
      Status: 'running',
      Running: true,
      Paused: false,
      Restarting: false,
      OOMKilled: false,
      Dead: false,
      Pid: 12,
      ExitCode: 0,
      Error: '',
      StartedAt: 'then',
      FinishedAt: '0001-01-01T00:00:00Z',
    }
    expect(stateOf({ State })).toEqual({ kind: 'running', pid: 12, startedAt: 'then', paused: false })
    expect(stateOf({ State: { ...State, Paused: true } })).toMatchObject({ paused: true })
    expect(stateOf({ State: { ...State, Restarting: true } })).toEqual({ kind: 'restarting' })
    const still = { ...State, Running: false, Pid: 0 }
    expect(stateOf({ State: { ...still, Status: 'created' } })).toEqual({ kind: 'never-started' })
    expect(stateOf({ State: { ...still, Status: 'exited' } })).toMatchObject({ kind: 'ended', at: null })
  })
})

describe('what a container writes', () => {
  const framed = (text: string): Buffer => {
    const header = Buffer.alloc(8)
    header.writeUInt32BE(Buffer.byteLength(text), 4)
    return Buffer.concat([header, Buffer.from(text)])
  }

  it('is put together again wherever its chunks were cut', () => {
    fc.assert(
      fc.property(fc.array(fc.string(), { maxLength: 8 }), fc.integer({ min: 1, max: 9 }), (texts, size) => {
        const demux = createDemux()
        const sent = Buffer.concat(texts.map(framed))
        const found: string[] = []
        for (let at = 0; at < sent.length; at += size)
          found.push(...demux(sent.subarray(at, at + size)).map(String))
        expect(found).toEqual(texts)
      }),
    )
    expect(() => createDemux()(Buffer.alloc(8, 0xff))).toThrow(/bytes from a container/)
  })

  it('is asked for from the time of the last message on, to the nanosecond', () => {
    expect(sinceOf({ at: '1970-01-01T00:01:01.000000042Z' })).toBe('61.000000042')
    expect(sinceOf({ at: '1970-01-01T00:01:01.5Z' })).toBe('61.500000000')
    expect(sinceOf({ at: '1970-01-01T00:01:01Z' })).toBe('61.000000000')
    expect(sinceOf({ at: '' })).toBe('0')
    expect(readMessage(Buffer.from('1970-01-01T00:00:00Z a b\n'))).toMatchObject({
      at: '1970-01-01T00:00:00Z',
    })
  })

  it('is copied once, whenever the agent is killed and however many messages have one time', () => {
    const times = fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 30 }).map((all) => all.toSorted())
    fc.assert(
      fc.property(times, fc.nat(30), fc.nat(30), (all, noted, killed) => {
        const messages = all.map(
          (at, index): LogMessage => ({ at: `${at}`, bytes: Buffer.from(`line ${index}\n`) }),
        )
        const start: LogPosition = { container: 'c', at: '', bytesAt: 0, size: 0 }
        const written = messages.slice(0, Math.max(noted, killed))
        const note = messages.slice(0, noted).reduce((position, message) => {
          const next = after(position, message)
          return { ...next, size: position.size + message.bytes.length }
        }, start)
        const file = Buffer.concat(written.map(({ bytes }) => bytes))
        const sentAgain = Buffer.concat(messages.filter(({ at }) => at >= note.at).map(({ bytes }) => bytes))
        const whole = Buffer.concat([file, sentAgain.subarray(bytesToSkip(note, file.length))])
        expect(String(whole)).toBe(messages.map(({ bytes }) => String(bytes)).join(''))
      }),
    )
  })
})

describe('where a container is reached', () => {
  const bridge = { Name: 'bridge', Driver: 'bridge' }
  const facts = { isLocal: true, isGateway: true, forced: undefined }

  it('is its own address where this machine is its gateway, else a published port', () => {
    expect(reachOf(container, bridge, facts)).toMatchObject({ value: 'address' })
    for (const other of [{ isLocal: false }, { isGateway: false }, { forced: 'published' }])
      expect(reachOf(container, bridge, { ...facts, ...other })).toMatchObject({ value: 'published' })
    expect(reachOf({ port: null }, { Name: 'host', Driver: 'host' }, facts)).toMatchObject({ value: 'not' })
  })

  it('at a published port is where the engine says that it is', () => {
    const at = { port: 8080, network: 'bridge', published: { host: '10.0.0.2', port: null } }
    const seen = (ports: Record<string, { HostIp: string; HostPort: string }[]>) => ({
      NetworkSettings: { Ports: ports, SandboxID: '', SandboxKey: '', Networks: {} },
    })
    const taken = { '8080/tcp': [{ HostIp: '10.0.0.2', HostPort: '49153' }] }
    expect(placeOf('published', seen(taken), at)).toEqual({ host: '10.0.0.2', port: 49_153 })
    expect(placeOf('published', seen({}), at)).toBeNull()
  })

  it('is refused in the network of the machine itself', () => {
    const refused = reachOf(container, { Name: 'host', Driver: 'host' }, facts)
    expect(refused).toMatchObject({ problem: { code: 'DOCKER_NETWORK_UNUSABLE' } })
  })

  it('knows the addresses of this machine, and others', async () => {
    expect(
      gatewaysOf({ IPAM: { Driver: '', Config: [{ Gateway: '10.0.0.1/24' }, { Subnet: 'x' }] } }),
    ).toEqual(['10.0.0.1'])
    expect(await isOwnAddress('127.0.0.1')).toBe(true)
    expect(await isOwnAddress('192.0.2.1')).toBe(false)
    expect(await isOwnAddress('no address')).toBe(false)
  })

  it('is told when the program listens for its container alone', () => {
    const resolver = { address: '127.0.0.11', port: 40_000 }
    expect(describeListenersInside([resolver], 8080)).toBeNull()
    expect(describeListenersInside([{ address: '127.0.0.1', port: 8080 }], 8080)).toMatch(
      /let it listen on 0\.0\.0\.0/,
    )
    expect(describeListenersInside([{ address: '0.0.0.0', port: 8080 }], 8080)).toBeNull()
    expect(describeListenersInside([resolver, { address: '0.0.0.0', port: 3000 }], 8080)).toMatch(
      /listens on 3000/,
    )
  })
})

describe('the address of the engine', () => {
  it('is another machine only by a name or number that is not of this one', () => {
    const here = ['localhost', '127.0.0.1', '127.1.2.3', '::1', '[::1]']
    const elsewhere = ['10.0.0.2', 'docker.example.org', '127.example.org', 'localhost.example.org']
    expect(here.filter((host) => !isThisMachine(host))).toEqual([])
    expect(elsewhere.filter(isThisMachine)).toEqual([])
  })

  it('is read as the docker command reads it', () => {
    expect(engineAddress({})).toMatchObject({ value: { kind: 'socket', path: '/var/run/docker.sock' } })
    expect(engineAddress({ DOCKER_HOST: 'unix:///a b' })).toMatchObject({ value: { path: '/a b' } })
    expect(engineAddress({ DOCKER_HOST: 'tcp://h' })).toMatchObject({
      value: { host: 'h', port: 2375, tls: null },
    })
    for (const bad of ['ssh://h', 'unix://x', 'tcp://', 'h:1', 'http://h'])
      expect(engineAddress({ DOCKER_HOST: bad })).toMatchObject({ problem: { code: 'DOCKER_HOST_UNUSABLE' } })
    const own = { DOCKER_HOST: 'tcp://[::1]:1', DOCKER_TLS_VERIFY: '', DOCKER_CERT_PATH: '/nowhere' }
    expect(engineAddress(own)).toMatchObject({ value: { host: '[::1]', port: 1, tls: null } })
    const noCertificate = { DOCKER_HOST: 'tcp://h', DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: '/nowhere' }
    expect(engineAddress(noCertificate)).toMatchObject({ problem: { code: 'DOCKER_CERTIFICATE_UNREADABLE' } })
  })
})

describe('a start that failed', () => {
  const failureOf = (code: string, cause: string) =>
    startFailure(problem(code, { message: 'the engine could not', cause, remedy: 'r' }), {
      spec,
      name: 'shop-1',
    })

  it('waits for an engine that is away, is tried again after bad luck, and is given up where a person has to help', () => {
    expect(failureOf('DOCKER_UNREACHABLE', 'ECONNREFUSED').next).toBe('later')
    expect(failureOf('DOCKER_FAILED', 'daemon is shutting down').next).toBe('later')
    expect(
      failureOf('DOCKER_FAILED', 'listen tcp4 127.0.0.1:80: bind: address already in use'),
    ).toMatchObject({
      next: 'again',
      problem: { code: 'DOCKER_PORT_TAKEN' },
    })
    expect(failureOf('DOCKER_FAILED', 'write /x: no space left on device')).toMatchObject({
      next: 'again',
      problem: { code: 'DOCKER_DISK_FULL' },
    })
    expect(failureOf('DOCKER_CONFLICT', 'The container name "/shop-1" is already in use')).toMatchObject({
      next: 'again',
      problem: { code: 'DOCKER_NAME_TAKEN' },
    })
    // It was pulled again just before, and somebody was quicker once more.
    expect(failureOf('DOCKER_NOT_FOUND', 'No such image: shop')).toMatchObject({
      next: 'again',
      problem: { code: 'DOCKER_IMAGE_MISSING' },
    })
    expect(failureOf('DOCKER_IMAGE_MISSING', 'no registry ever had it').next).toBe('never')
    expect(
      failureOf('DOCKER_FAILED', 'listen tcp4 192.0.2.1:0: bind: cannot assign requested address'),
    ).toMatchObject({ next: 'never', problem: { code: 'DOCKER_ADDRESS_ELSEWHERE' } })
    expect(failureOf('DOCKER_CERTIFICATE_UNTRUSTED', 'expired').next).toBe('later')
    expect(failureOf('SECRET_MISSING', 'x').next).toBe('never')
    expect(failureOf('DOCKER_FAILED', 'something new').next).toBe('again')
  })

  it('is told with its remedy', () => {
    expect(toldAs(failureOf('DOCKER_NOT_FOUND', 'network db not found').problem)).toMatch(
      /^DOCKER_NETWORK_MISSING: .*\. Make it: /,
    )
  })
})
