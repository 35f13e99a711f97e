import * as z from 'zod'
import { splitWords } from '../../command-words.ts'
import { findHealth, serviceName, sourcesIn } from '../../init/detection.ts'
import type { ProjectFiles } from '../../init/project-files.ts'
import { command as commandScalar } from '../../scalars.ts'
import { environmentOf } from './environment.ts'
import { type Health, type HealthTimes, type HealthWay, healthOf, stopGraceOf } from './health.ts'
import { contextOf, imageOf } from './image.ts'
import { leaveOutOthers } from './left-out.ts'
import type { Keys } from './notes.ts'
import { exposedBy, type Port, portsOf } from './ports.ts'
import { deploymentOf, type Resources } from './resources.ts'
import { envFilesOf, secretFilesOf } from './secrets.ts'

/** A service of Compose in words of ours, before its place among the others is known. */
export type ServiceDraft = {
  /** In the new file. */
  name: string
  /** In the Compose file, and where it begins there. */
  composeName: string
  line: number
  image: string
  /** Empty: what the image runs. */
  command: string[]
  replicas: number
  resources: Resources
  /** Where the program listens; `null`: a worker. */
  port: number | null
  /** Where Compose takes its requests; `null`: only other containers reach it. */
  published: Port | null
  env: Record<string, string>
  envFile: string[]
  secrets: string[]
  secretFiles: boolean
  stopGrace: string | null
  health: { way: HealthWay; times: HealthTimes; seenAt: string | null }
}

/** The service, or `null` where no image is known to run; each key that is not in it has been answered for. */
export function draftOf(
  keys: Keys,
  { project, files, base, line }: { project: string; files: ProjectFiles; base: string; line: number },
): ServiceDraft | null {
  const image = imageOf(keys, project)
  if (image === null) return null
  const environment = environmentOf(keys)
  const health = healthOf(keys)
  const { port, published } = doorOf(keys, health, environment.port)
  const envFiles = envFilesOf(keys, files)
  const secretFiles = secretFilesOf(keys)
  const secrets = [...new Set([...environment.secrets, ...envFiles.secrets, ...secretFiles])]
  checkSecretFiles(keys, secretFiles, secrets)
  leaveOutRestart(keys)
  leaveOutOthers(keys)
  return {
    name: serviceName([keys.service]),
    composeName: keys.service,
    line,
    image,
    command: commandOf(keys),
    ...deploymentOf(keys),
    port,
    published,
    env: environment.env,
    envFile: [...new Set(envFiles.files)].map((path) => (base === '.' ? path : `${base}/${path}`)),
    secrets: secrets.filter((name) => !Object.hasOwn(environment.env, name)),
    secretFiles: secretFiles.length > 0,
    stopGrace: stopGraceOf(keys),
    health: fitHealth(keys, health, { port, files }),
  }
}

/** The port that requests come to: published first, then exposed, then where the file says that it listens. */
function doorOf(
  keys: Keys,
  { way }: Health,
  portVariable: number | null,
): Pick<ServiceDraft, 'port' | 'published'> {
  const asked = 'port' in way ? way.port : null
  const all = portsOf(keys)
  const tcp = all.filter(({ isTcp }) => isTcp)
  const first = tcp.find(({ target }) => target === asked) ?? tcp[0] ?? null
  for (const other of all.filter((one) => one !== first))
    keys.leaveOut(
      'ports',
      other.isTcp
        ? `${other.text}: a service takes requests at one address, and ${first?.text ?? 'none'} was taken.`
        : `${other.text}: the data plane passes on HTTP, and not UDP.`,
    )
  return { port: first?.target ?? exposedBy(keys)[0] ?? asked ?? portVariable, published: first }
}

/** Health in our words: a path where one is known or found in the sources, and nothing that a worker cannot have. */
function fitHealth(
  keys: Keys,
  { way, times }: Health,
  { port, files }: { port: number | null; files: ProjectFiles },
): ServiceDraft['health'] {
  if (way.kind === 'command')
    keys.check(
      `${keys.service} is asked by a program of its image. See that the image has it: health.command.`,
    )
  if (way.kind !== 'unknown') {
    const asked = 'port' in way ? way.port : null
    if (asked !== null && asked !== port)
      keys.check(
        `${keys.service} is asked at port ${asked} in its healthcheck; here its port ${port} is asked.`,
      )
    return { way, times, seenAt: null }
  }
  if (port === null) return { way, times, seenAt: null }
  const context = keys.raw('build') === undefined ? null : contextOf(keys).replace(/^\.\/|\/$/g, '')
  const folders = context === null ? [] : [context, `${context}/src`, `${context}/app`]
  const { path, seenAt } = findHealth(files, sourcesIn(files, folders, /\.([cm]?[jt]s|py|go|rb)$/))
  keys.check(
    seenAt === null
      ? `${keys.service} has no healthcheck that was found, so / is asked. Name a path that answers 200 only when it can take traffic.`
      : `${keys.service} has no healthcheck; ${path} was seen in ${seenAt}.`,
  )
  return { way: { kind: 'path', path, port }, times, seenAt }
}

const Words = z.union([z.string(), z.array(z.union([z.string(), z.number()]).transform(String))])

function commandOf(keys: Keys): string[] {
  const entrypoint = keys.raw('entrypoint')
  if (
    entrypoint !== undefined &&
    entrypoint !== '' &&
    !(Array.isArray(entrypoint) && entrypoint.length === 0)
  )
    keys.leaveOut(
      'entrypoint',
      'run.command takes the place of the command of the image and not of its entrypoint. Write ENTRYPOINT into its Dockerfile.',
    )
  const written = keys.read('command', Words)
  if (written === undefined || written.length === 0) return []
  const words = typeof written === 'string' ? wordsOf(written) : written
  if (commandScalar().safeParse(words).success) return words
  keys.leaveOut('command', 'It has a {{placeholder}}, or is no program that can be started.')
  return []
}

function wordsOf(line: string): string[] {
  const words = splitWords(line)
  return words.kind === 'ok' ? words.value : ['sh', '-c', line]
}

function checkSecretFiles(keys: Keys, files: readonly string[], all: readonly string[]): void {
  const others = all.filter((name) => !files.includes(name))
  if (files.length > 0)
    keys.check(
      `${keys.service} gets its secrets as files, /run/secrets/<name>; their values come from .sluice/secrets.env (mode 0600).`,
    )
  if (files.length > 0 && others.length > 0)
    keys.check(
      `${keys.service} got ${others.join(', ')} as variables. All secrets of a service arrive in one way: read them from files, or set secretFiles to false and read all from variables.`,
    )
}

function leaveOutRestart(keys: Keys): void {
  const restart = keys.raw('restart')
  if (typeof restart === 'string' && /^(no|on-failure)/.test(restart))
    keys.leaveOut(
      'restart',
      'An instance that ends is started again, whatever its code, with growing pauses.',
    )
  const signal = keys.raw('stop_signal')
  if (signal !== undefined && signal !== 'SIGTERM')
    keys.leaveOut(
      'stop_signal',
      'An instance is asked to end with SIGTERM. The program must take that as the sign to end.',
    )
}
