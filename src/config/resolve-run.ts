import { isAbsolute, resolve as resolvePath } from 'node:path'
import type { ServiceSettings } from '../core/release/settings.ts'
import type { Volume } from '../core/shared/container-spec.ts'
import { DEFAULT_GRACE, DEFAULT_QUIESCE_TIMEOUT } from './defaults.ts'
import type { LayeredReader } from './layers.ts'
import { msOf } from './units.ts'

type Run = ServiceSettings['run']

/** What runs: a process from its artifact, or a container from its image. `folder` is that of the file. */
export function runOf(reader: LayeredReader, folder: string, isWorker: boolean): Run {
  const common = {
    replicas: reader.pick('run.replicas', ({ run }) => run?.replicas),
    env: reader.merge('run.env', ({ run }) => run?.env),
    secrets: reader.pick('run.secrets', ({ run }) => run?.secrets),
    stopGraceMs: reader.pick('run.stopGrace', ({ run }) => run?.stopGrace),
    ...quiesceOf(reader),
    resources: resourcesOf(reader),
  }
  const command = reader.find('run.command', ({ run }) => run?.command) ?? []
  if (targetOf(reader) === 'docker')
    return {
      artifact: reader.find('run.image', ({ run }) => run?.image) ?? '',
      command,
      ...common,
      container: containerOf(reader, folder, { isWorker, resources: common.resources }),
    }
  const artifact = resolvePath(
    folder,
    reader.pick('run.artifact', ({ run }) => run?.artifact),
  )
  return { artifact, command, ...common }
}

/** Where nobody says so: what is described. */
function targetOf(reader: LayeredReader): 'processes' | 'docker' {
  const said = reader.find('target', ({ target }) => target)
  if (said !== undefined) return said
  const found = reader.find('run.image', ({ run }) => run?.image) === undefined ? 'processes' : 'docker'
  reader.note('target', {
    kind: 'default',
    note: found === 'docker' ? 'there is a run.image' : 'there is no run.image',
  })
  return found
}

function containerOf(
  reader: LayeredReader,
  folder: string,
  { isWorker, resources }: { isWorker: boolean; resources: Run['resources'] },
): NonNullable<Run['container']> {
  const port = reader.find('run.port', ({ run }) => run?.port)
  return {
    // A service that listens and has no port is refused as a conflict, with the key by name.
    port: isWorker ? null : (port ?? null),
    network: reader.find('run.network', ({ run }) => run?.network) ?? null,
    volumes: reader
      .pick('run.volumes', ({ run }) => run?.volumes)
      .map((volume) => ({ ...volume, source: sourceOf(volume, folder) })),
    secretFiles: reader.pick('run.secretFiles', ({ run }) => run?.secretFiles),
    ...resources,
  }
}

/** A path begins with a dot or a slash; everything else is the name of a volume. */
function sourceOf({ source }: Volume, folder: string): string {
  if (isAbsolute(source)) return source
  return source.startsWith('.') ? resolvePath(folder, source) : source
}

function quiesceOf(reader: LayeredReader): Pick<Run, 'quiesce'> {
  const how = reader.find('run.quiesce', ({ run }) => run?.quiesce)
  const graceMs = reader.find('run.grace', ({ run }) => run?.grace) ?? msOf(DEFAULT_GRACE)
  if (how === undefined) return {}
  if (typeof how === 'string') return { quiesce: { signal: how, graceMs } }
  const { command, timeout } = how
  return { quiesce: { command, timeoutMs: timeout ?? msOf(DEFAULT_QUIESCE_TIMEOUT), graceMs } }
}

function resourcesOf(reader: LayeredReader): Run['resources'] {
  const cpus = reader.find('run.resources.cpus', ({ run }) => run?.resources?.cpus)
  const memoryBytes = reader.find('run.resources.memory', ({ run }) => run?.resources?.memory)
  return { ...(cpus === undefined ? {} : { cpus }), ...(memoryBytes === undefined ? {} : { memoryBytes }) }
}
