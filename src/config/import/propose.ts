import { problem } from '../../core/shared/problem.ts'
import { failed, ok, type Result } from '../../core/shared/result.ts'
import { readStartLine, viaShell } from '../init/command-line.ts'
import { type Detection, findHealth, fitVariables, serviceName, sourcesIn } from '../init/detection.ts'
import type { ProjectFiles } from '../init/project-files.ts'
import { type EnvNames, envNames, looksSecret } from './env-names.ts'
import { type ProcessType, parseProcfile } from './procfile.ts'

/** What stands in the file and could not be taken over, and what to do about it. */
export type NotMapped = { name: string; line: number; why: string }

/** A process that becomes a service: `web` takes requests, a worker takes its work from elsewhere. */
export type ProposedService = {
  name: string
  kind: 'web' | 'worker'
  command: string[]
  env: Record<string, string>
}

/** A `sluice.yaml` as it follows from a Procfile, before it is written. */
export type Proposal = {
  /** As it was named: the comments of the new file say where it came from. */
  from: string
  /** Of the new file to the folder of the Procfile. */
  artifact: string
  /** The web process first. */
  services: ProposedService[]
  /** Names only: of a `.env` beside the file. */
  names: EnvNames
  health: Detection['health']
  notMapped: NotMapped[]
  toCheck: string[]
}

export type ImportRequest = {
  /** The file as the person named it, and its text. */
  file: string
  text: string
  /** The folder in which it stands. */
  files: ProjectFiles
  artifact: string
  /** `--name shop`; the folder's where it is left out. */
  name?: string
}

/** The process that gets requests, by the convention of every tool that reads a Procfile. */
const WEB = 'web'
/** Processes of which there may be one only: while a release goes on, instances of both versions run. */
const ONLY_ONE = /^(clock|cron|scheduler?|beat|timer|ticker)$/i

/** Reads a Procfile into a proposal: web and workers become services, and every other process is answered for. */
export function proposeFromProcfile({ file, text, files, artifact, name }: ImportRequest): Result<Proposal> {
  const processes = parseProcfile(file, text)
  if (processes.kind === 'failed') return processes
  const web = processes.value.find((one) => one.name === WEB)
  if (web === undefined) return failed(noWeb(file, processes.value))
  if (web.command.includes('{{')) return failed(strangePlaceholder(file, web))
  const service = serviceName([name ?? null, files.folderName])
  const first = serviceOf(web, { name: service, kind: 'web' })
  const others = mapOthers(
    processes.value.filter((one) => one !== web),
    service,
  )
  const services = [first, ...others.services]
  const sources = sourcesIn(files, ['.', 'src', 'app', 'routes', 'lib', 'cmd'], /\.([cm]?[jt]s|py|go|rb)$/)
  const health = findHealth(files, sources)
  return ok({
    from: file,
    artifact,
    services,
    names: without(
      envNames(files.read('.env') ?? ''),
      services.flatMap(({ env }) => Object.keys(env)),
    ),
    health,
    notMapped: others.notMapped,
    toCheck: [
      ...services.flatMap(toCheckOf),
      ...(health.seenAt === null ? ['No health path was found, so / is asked.'] : []),
    ],
  })
}

function serviceOf({ command }: ProcessType, as: Pick<ProposedService, 'name' | 'kind'>): ProposedService {
  const start = readStartLine(command)
  return { ...as, command: start?.words ?? viaShell(command), env: fitVariables(start?.env ?? {}) }
}

function mapOthers(
  others: readonly ProcessType[],
  service: string,
): { services: ProposedService[]; notMapped: NotMapped[] } {
  const services: ProposedService[] = []
  const notMapped: NotMapped[] = []
  const taken = new Set([service])
  for (const one of others) {
    const name = serviceName([`${service}-${one.name}`])
    const why = whyNot(one, taken.has(name))
    if (why !== null)
      notMapped.push({ name: one.name, line: one.line, why: `${why} Its command: ${one.command}` })
    else services.push(serviceOf(one, { name, kind: 'worker' }))
    taken.add(name)
  }
  return { services, notMapped }
}

function whyNot({ name, command }: ProcessType, isTaken: boolean): string | null {
  if (name === 'release')
    return 'It runs once for each release, which is no service. Run it before "sluice deploy".'
  if (ONLY_ONE.test(name))
    return 'There may be one of it only, and during a release both versions run. Go on running it as you do now.'
  if (command.includes('{{')) return 'Its command has a {{placeholder}}, which only another tool fills.'
  return isTaken ? 'As the name of a service it is the same as another one.' : null
}

function toCheckOf({ name, kind, command, env }: ProposedService): string[] {
  const isShell = command[0] === 'sh' && command[1] === '-c'
  const takesPort = command.some((word) => word.includes('{{port}}') || (isShell && /\$\{?PORT\b/.test(word)))
  return [
    ...(isShell
      ? [
          `The line of ${name} needs a shell. See that the last program in it is started with "exec", so that it gets the stop signal.`,
        ]
      : []),
    ...(kind === 'web' && !takesPort
      ? [`${name} does not name its port. See that it listens on the port in the variable PORT.`]
      : []),
    ...(kind === 'worker'
      ? [
          `Nothing tells whether the worker ${name} is well, so it counts as well while it runs. A program that tells may stand as its health.command.`,
        ]
      : []),
    ...Object.keys(env)
      .filter(looksSecret)
      .map(
        (variable) =>
          `${variable} is set in the line of ${name} and stands in env now. If its value is a secret, move it to secrets.`,
      ),
  ]
}

const without = ({ secrets, others }: EnvNames, set: readonly string[]): EnvNames => ({
  secrets: secrets.filter((name) => !set.includes(name)),
  others: others.filter((name) => !set.includes(name)),
})

const noWeb = (file: string, processes: readonly ProcessType[]) =>
  problem('IMPORT_NOTHING_TO_MAP', {
    message: `${file} has no process called web: it names ${processes.map(({ name }) => name).join(', ')}.`,
    remedy:
      'Only a process that takes requests becomes a service. Call it web, or use "sluice init --command" with its command.',
  })

const strangePlaceholder = (file: string, { name, line }: ProcessType) =>
  problem('IMPORT_BAD_PROCFILE', {
    message: `${file}:${line} starts the process ${name} with a {{placeholder}}, which only another tool fills.`,
    remedy: 'Write $PORT for the port, and the other values themselves.',
  })
