import type { ContainerCreateOptions } from 'dockerode'
import type { ContainerSpec } from '../../core/shared/container-spec.ts'
import type { SetSpec } from '../../core/shared/set-spec.ts'
import { fillIn } from '../processes/start-process.ts'
import { type Labels, nameOf } from './labels.ts'

export type NewContainer = {
  spec: SetSpec & { container: ContainerSpec }
  instance: string
  labels: Labels
  secrets: Record<string, string>
  /** The folder on this machine with the secrets as files; `null`: they are variables. */
  secretFolder: string | null
  /** `null`: it is reached at its own address. */
  published: Publication | null
}

/** Where the engine takes connections for a container: at an address of its machine, at a port of its choice where none is named. */
export type Publication = { host: string; port: number | null }

export const SECRETS_INSIDE = '/run/secrets'
/** As of a process: the output is in our files already, this is for `docker logs`. */
const LOG_OPTIONS = { 'max-size': '10m', 'max-file': '2' }
const NANO = 1e9

/** What the engine is asked to make: everything that matters is written down, nothing is left to a default that may differ. */
export function newContainer(request: NewContainer): ContainerCreateOptions & { name: string } {
  const { spec, instance, labels, published } = request
  const { container } = spec
  const inside = container.port === null ? null : `${container.port}/tcp`
  return {
    name: nameOf(instance),
    Image: container.image,
    ...(spec.command.length === 0 ? {} : { Cmd: spec.command.map((word) => fill(word, spec)) }),
    Env: Object.entries(environmentInside(request)).map(([name, value]) => `${name}=${value}`),
    Labels: labels,
    Tty: false,
    ...(inside === null ? {} : { ExposedPorts: { [inside]: {} } }),
    HostConfig: {
      // The agent starts it again, with its own waits; the engine must not do it, too.
      RestartPolicy: { Name: 'no' },
      AutoRemove: false,
      NetworkMode: networkOf(container),
      LogConfig: { Type: 'json-file', Config: LOG_OPTIONS },
      Mounts: mountsOf(request),
      ...(inside === null || published === null
        ? {}
        : { PortBindings: { [inside]: [bindingOf(published)] } }),
      ...(container.cpus === undefined ? {} : { NanoCpus: Math.round(container.cpus * NANO) }),
      // Without swap: more than its memory is an end, not a slow death.
      ...(container.memoryBytes === undefined
        ? {}
        : { Memory: container.memoryBytes, MemorySwap: container.memoryBytes }),
    },
  }
}

const bindingOf = ({ host, port }: Publication): { HostIp: string; HostPort: string } => ({
  HostIp: host,
  HostPort: port === null ? '' : String(port),
})

export const networkOf = ({ network }: ContainerSpec): string => network ?? 'bridge'

/** PORT is where it listens inside; secrets are here unless they are files. */
function environmentInside({ spec, secrets, secretFolder }: NewContainer): Record<string, string> {
  const { port } = spec.container
  const own = Object.entries(spec.env).map(([name, value]) => [name, fill(value, spec)])
  return {
    ...Object.fromEntries(own),
    ...(secretFolder === null ? secrets : {}),
    ...(port === null ? {} : { PORT: String(port) }),
    SLUICE_VERSION: spec.version,
  }
}

const fill = (text: string, spec: NewContainer['spec']): string =>
  fillIn(text, { spec, port: spec.container.port ?? 0 })

type Mount = { Type: 'bind' | 'volume'; Source: string; Target: string; ReadOnly: boolean }

function mountsOf({ spec, secretFolder }: NewContainer): Mount[] {
  const own = spec.container.volumes.map(
    ({ source, target, readOnly }): Mount => ({
      Type: source.startsWith('/') ? 'bind' : 'volume',
      Source: source,
      Target: target,
      ReadOnly: readOnly,
    }),
  )
  if (secretFolder === null) return own
  return [...own, { Type: 'bind', Source: secretFolder, Target: SECRETS_INSIDE, ReadOnly: true }]
}
