import { dirname, resolve as resolvePath } from 'node:path'
import type { ServiceSettings } from '../core/release/settings.ts'
import { failed, ok, type Result } from '../core/shared/result.ts'
import type { RouterName } from '../core/shared/router-ability.ts'
import { conflictsIn } from './check.ts'
import type { Complaint } from './complaint.ts'
import { type ConfigProblem, type ConfigProblems, configProblem, inFileOrder } from './config-problem.ts'
import type { Conflict } from './conflict.ts'
import { type ConfigDocument, parseConfigDocument } from './document.ts'
import { envLayer, onceEach, type ReadEnvFile, readEnvFile } from './env-layer.ts'
import { problemsOfIssues } from './issues.ts'
import { schemaNodeOf } from './json-schema.ts'
import { fileLayer, type Layer } from './layers.ts'
import { LOST_KEY, lostKeys } from './lost-keys.ts'
import { didYouMean } from './nearest.ts'
import type { Origins } from './origin.ts'
import { checkConfigText, readConfigText } from './read-file.ts'
import { resolveService } from './resolve.ts'
import { type EnvironmentOfMany, ManyFile, type Overrides, SingleFile } from './schema.ts'
import { sharedAddresses } from './shared-addresses.ts'
import { sloInFile } from './slo-file.ts'

/** The environment of every file, also when it names none. */
export const LOCAL_ENVIRONMENT = 'local'

export type LoadInput = {
  /** As the person wrote it: messages repeat it. */
  file: string
  /** The content, when it does not come from disk. */
  text?: string
  environment?: string
  /** How env files are read; from disk by default. */
  readEnv?: ReadEnvFile
  /** What `router: auto` means on this machine. */
  autoRouter?: RouterName
}

/** A checked file in one environment, with every default filled in. */
export type LoadedConfig = {
  /** As given. */
  file: string
  /** Absolute folder of the file, where relative paths start. */
  folder: string
  environment: string
  /** All environments a command may name, `local` among them. */
  environments: string[]
  /** In the order of the file, at least one. */
  services: ServiceSettings[]
  /** By service, then by path of the key in the file. */
  origins: ReadonlyMap<string, Origins>
}

/**
 * Reads, checks and completes `sluice.yaml`. Reports all problems at once, each with its line and column.
 *
 * @example loadConfig({ file: 'sluice.yaml', environment: 'production' })
 */
export function loadConfig({
  file,
  text,
  environment = LOCAL_ENVIRONMENT,
  readEnv = readEnvFile,
  autoRouter = 'builtin',
}: LoadInput): Result<LoadedConfig, ConfigProblems> {
  const content = text === undefined ? readConfigText(file) : checkConfigText(file, text)
  if (content.kind === 'failed') return failed([content.problem])
  const document = parseConfigDocument(file, content.value)
  if (document.kind === 'failed') return document
  const parsed = parseFile(file, document.value)
  if (parsed.kind === 'failed') return parsed
  return resolveFile({
    file,
    document: document.value,
    content: parsed.value,
    environment,
    readEnv: onceEach(readEnv),
    autoRouter,
  })
}

/** Both forms of the file as one: services by name, with the path where each stands. */
type FileContent = {
  services: { name: string; values: Overrides; base: PropertyKey[] }[]
  environments: Map<string, EnvironmentOfMany>
}

function parseFile(file: string, document: ConfigDocument): Result<FileContent, ConfigProblems> {
  const isMany =
    typeof document.value === 'object' && document.value !== null && Object.hasOwn(document.value, 'services')
  const parsed = isMany ? parseMany(file, document) : parseSingle(file, document)
  const lost = parsed.kind === 'failed' ? [] : lostKeys(document.value)
  return lost.length === 0
    ? parsed
    : failed(lost.map((path) => configProblem(file, document.keyAt(path), LOST_KEY)))
}

function parseSingle(file: string, document: ConfigDocument): Result<FileContent, ConfigProblems> {
  const parsed = SingleFile.safeParse(document.value)
  if (!parsed.success)
    return failed(problemsOfIssues(parsed.error.issues, { file, document, schema: schemaNodeOf(SingleFile) }))
  const { service, environments, ...values } = parsed.data
  return ok({
    services: [{ name: service, values, base: [] }],
    environments: new Map(Object.entries(environments ?? {})),
  })
}

function parseMany(file: string, document: ConfigDocument): Result<FileContent, ConfigProblems> {
  const parsed = ManyFile.safeParse(document.value)
  if (!parsed.success)
    return failed(problemsOfIssues(parsed.error.issues, { file, document, schema: schemaNodeOf(ManyFile) }))
  const services = Object.entries(parsed.data.services).map(([name, values]) => ({
    name,
    values,
    base: ['services', name],
  }))
  return ok({ services, environments: new Map(Object.entries(parsed.data.environments ?? {})) })
}

type ResolveFileInput = {
  file: string
  document: ConfigDocument
  content: FileContent
  environment: string
  readEnv: ReadEnvFile
  autoRouter: RouterName
}

function resolveFile({
  file,
  document,
  content,
  environment,
  readEnv,
  autoRouter,
}: ResolveFileInput): Result<LoadedConfig, ConfigProblems> {
  const names = [...new Set([LOCAL_ENVIRONMENT, ...content.environments.keys()])]
  if (!names.includes(environment)) return failed([unknownEnvironment(file, document, environment, names)])
  const folder = dirname(resolvePath(file))
  // Every environment is checked, so that a mistake in production does not wait for the day of the release.
  const problems = [...namingProblems(file, document, content)]
  const resolved = new Map<string, LoadedConfig>()
  for (const name of names) {
    const mayBeMissing = name !== environment
    const of = {
      file,
      document,
      content,
      environment: name,
      readEnv,
      autoRouter,
      folder,
      names,
      mayBeMissing,
    }
    const { loaded, problems: inEnvFiles } = resolveEnvironment(of)
    resolved.set(name, loaded)
    problems.push(...inEnvFiles, ...conflictProblems(loaded))
  }
  const chosen = resolved.get(environment)
  if (problems.length > 0 || chosen === undefined) return failed(inFileOrder(withoutRepeats(problems)))
  return ok(chosen)
}

type ResolveEnvironmentInput = ResolveFileInput & {
  folder: string
  names: string[]
  /** An env file of another environment may be on another machine. */
  mayBeMissing: boolean
}

function resolveEnvironment({
  file,
  document,
  content,
  environment,
  readEnv,
  autoRouter,
  folder,
  names,
  mayBeMissing,
}: ResolveEnvironmentInput): { loaded: LoadedConfig; problems: ConfigProblem[] } {
  const overrides = content.environments.get(environment)
  const production = overrides?.production === true || isProductionName(environment)
  const resolved = content.services.map(({ name, values, base }) => {
    const layers = [
      ...environmentLayers(overrides, environment, name, document),
      fileLayer(values, base, { environment: null, ...document }),
    ]
    const of = { config: file, folder, layers, mayBeMissing, read: readEnv }
    const env = envLayer(of)
    const slo = sloInFile(of)
    const found = resolveService({
      service: name,
      environment,
      production,
      folder,
      layers: [...layers, env.layer],
      sloInFile: slo.level,
      autoRouter,
    })
    return { ...found, problems: [...env.problems, ...slo.problems] }
  })
  const loaded = {
    file,
    folder,
    environment,
    environments: names,
    services: resolved.map(({ settings }) => settings),
    origins: new Map(resolved.map(({ settings, origins }) => [settings.service, origins])),
  }
  return { loaded, problems: resolved.flatMap(({ problems }) => problems) }
}

function environmentLayers(
  overrides: EnvironmentOfMany | undefined,
  environment: string,
  service: string,
  document: ConfigDocument,
): Layer[] {
  if (overrides === undefined) return []
  const base = ['environments', environment]
  const place = { environment, valueAt: document.valueAt }
  const own = new Map(Object.entries(overrides.services ?? {})).get(service)
  const forAll = fileLayer(overrides, base, place)
  return own === undefined ? [forAll] : [fileLayer(own, [...base, 'services', service], place), forAll]
}

const isProductionName = (name: string): boolean => name === 'production' || name === 'prod'

function unknownEnvironment(
  file: string,
  document: ConfigDocument,
  environment: string,
  names: string[],
): ConfigProblem {
  return configProblem(file, document.keyAt(['environments']), {
    code: 'CONFIG_ENVIRONMENT_UNKNOWN',
    message: `there is no environment ${JSON.stringify(environment)}`,
    remedy: `${didYouMean(environment, names)} Or add it under "environments:".`,
  })
}

function namingProblems(
  file: string,
  document: ConfigDocument,
  { services, environments }: FileContent,
): ConfigProblem[] {
  const known = services.map(({ name }) => name)
  return [...environments].flatMap(([name, overrides]) => {
    const strangers = Object.keys(overrides.services ?? {}).filter((service) => !known.includes(service))
    const unknown = strangers.map((service) =>
      configProblem(file, document.keyAt(['environments', name, 'services', service]), {
        code: 'CONFIG_SERVICE_UNKNOWN',
        message: `environments.${name}.services names ${JSON.stringify(service)}, which is no service of this file`,
        remedy: didYouMean(service, known),
      }),
    )
    const contradiction = isProductionName(name) && overrides.production === false
    return contradiction
      ? [
          ...unknown,
          configProblem(file, document.valueAt(['environments', name, 'production']), NAMED_PRODUCTION),
        ]
      : unknown
  })
}

const NAMED_PRODUCTION: Complaint = {
  code: 'CONFIG_CONFLICT',
  message: 'production is false, but an environment with this name is always production',
  remedy: 'Remove the line, or give the environment another name.',
}

function conflictProblems(loaded: LoadedConfig): ConfigProblem[] {
  const found = [
    ...loaded.services.flatMap((settings) =>
      [...conflictsIn(settings), ...idleProber(settings, loaded.origins.get(settings.service))].map(
        (conflict) => ({ service: settings.service, conflict }),
      ),
    ),
    ...sharedAddresses(loaded.services),
  ]
  return found.map(({ service, conflict: { paths, code, message, remedy } }) => {
    const subject = loaded.services.length > 1 ? `${paths[0]} of ${service}` : paths[0]
    const origin = writtenOrigin(loaded, service, paths)
    const place = origin?.kind === 'env-file' ? origin.file : loaded.file
    const at = origin === undefined ? null : { line: origin.line, column: origin.column }
    return configProblem(place, at, {
      code,
      message: `${subject} ${message}`,
      remedy,
    })
  })
}

/** Somebody who sets up the prober wants it to run. */
function idleProber({ prober }: ServiceSettings, origins: Origins | undefined): Conflict[] {
  const interval = origins?.get('prober.interval')
  if (prober !== null || interval === undefined || interval.kind === 'default') return []
  return [
    {
      paths: ['prober.interval'],
      code: 'CONFIG_CONFLICT',
      message: 'is set, but no path is known that is safe to ask: health is not asked by a path',
      remedy: 'Write prober.paths, for example [/], or prober: off.',
    },
  ]
}

/** The first of the keys that somebody wrote; a default stands nowhere. */
const writtenOrigin = (loaded: LoadedConfig, service: string, paths: readonly string[]) =>
  paths
    .map((path) => loaded.origins.get(service)?.get(path))
    .find((origin) => origin !== undefined && origin.kind !== 'default')

const withoutRepeats = (problems: ConfigProblem[]): ConfigProblem[] =>
  problems.filter((one, index) => problems.findIndex((other) => other.message === one.message) === index)
