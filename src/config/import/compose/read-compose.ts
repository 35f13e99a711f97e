import { type Problem, problem } from '../../../core/shared/problem.ts'
import { failed, ok, type Result } from '../../../core/shared/result.ts'
import { shown } from '../../complaint.ts'
import { type ConfigDocument, parseConfigDocument } from '../../document.ts'
import { checkConfigText } from '../../read-file.ts'
import { mergeKeys, type Tangle } from './merge.ts'

/** A Compose file as plain data: merge keys and aliases filled in, variables as they stand. */
export type ComposeFile = {
  name: unknown
  services: [name: string, keys: Record<string, unknown>][]
  volumes: Record<string, unknown>
  networks: Record<string, unknown>
  secrets: Record<string, unknown>
  /** Everything else that stands at the top. */
  others: string[]
  lineOf(path: readonly PropertyKey[]): number
}

/** As many as a sluice.yaml has at most of what it proposes for; a larger file is made by a program. */
const MAX_SERVICES = 100
/** Blocks are counted exactly after they are read. */
const MAX_ALIASES = -1
const READ_HERE = ['name', 'services', 'volumes', 'networks', 'secrets']

/** Reads the file as Compose does, or says with its line why it is none. */
export function readCompose(file: string, text: string): Result<ComposeFile> {
  const checked = checkConfigText(file, text)
  if (checked.kind === 'failed') return failed(bad(checked.problem.message, checked.problem.remedy))
  const document = parseConfigDocument(file, checked.value, { maxAliases: MAX_ALIASES, asWritten: 'all' })
  if (document.kind === 'failed') return failed(notYaml(file, document.problem[0]))
  const merged = mergeKeys(document.value.value)
  if (merged.kind === 'failed') return failed(tangled(file, merged.problem))
  return composeOf(file, merged.value, document.value)
}

function composeOf(file: string, top: unknown, { keyAt }: ConfigDocument): Result<ComposeFile> {
  if (!isMapping(top)) return failed(noCompose(file, `It is ${shown(top)}.`))
  const keys = new Map(Object.entries(top))
  const services = keys.get('services')
  if (services === undefined) return failed(noCompose(file, hintOf(keys)))
  if (!isMapping(services)) return failed(noCompose(file, `Its services are ${shown(services)}.`))
  const named = Object.entries(services)
  if (named.length === 0) return failed(noCompose(file, 'Its services are empty.'))
  if (named.length > MAX_SERVICES) return failed(tooMany(file, named.length))
  const lineOf = (path: readonly PropertyKey[]) => keyAt(path).line
  const strange = named.find(([, one]) => !isMapping(one))
  if (strange !== undefined) return failed(noService(file, lineOf(['services', strange[0]]), strange))
  return ok({
    name: keys.get('name'),
    services: named.map(([name, one]) => [name, mappingOf(one)]),
    volumes: mappingOf(keys.get('volumes')),
    networks: mappingOf(keys.get('networks')),
    secrets: mappingOf(keys.get('secrets')),
    others: [...keys.keys()].filter((key) => !READ_HERE.includes(key)),
    lineOf,
  })
}

export const isMapping = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
export const mappingOf = (value: unknown): Record<string, unknown> => (isMapping(value) ? value : {})

/** What else people have in a YAML file. */
function hintOf(keys: ReadonlyMap<string, unknown>): string {
  if (keys.has('apiVersion') && keys.has('kind'))
    return `It is a Kubernetes manifest (kind ${shown(keys.get('kind'))}), which this version cannot import.`
  if (keys.has('service') && keys.has('run')) return 'It is a sluice.yaml already.'
  return 'It has no services.'
}

const bad = (message: string, remedy: string): Problem => problem('IMPORT_BAD_COMPOSE', { message, remedy })

function notYaml(file: string, first: Problem | undefined): Problem {
  if (first?.code === 'CONFIG_FILE_EMPTY') return noCompose(file, 'It is empty.')
  return bad(
    first?.message ?? `${file} is no YAML.`,
    first?.remedy ?? 'Check the file with "docker compose config".',
  )
}

const noCompose = (file: string, why: string): Problem =>
  problem('IMPORT_NO_COMPOSE', {
    message: `${file} is no Compose file. ${why}`,
    remedy: 'Name a file with "services:" that "docker compose config" reads, for example compose.yaml.',
  })

const tooMany = (file: string, count: number): Problem =>
  bad(
    `${file} has ${count} services, and at most ${MAX_SERVICES} are read.`,
    'Import a file with fewer services.',
  )

const noService = (file: string, line: number, [name, value]: [string, unknown]): Problem =>
  bad(
    `${file}:${line}: the service ${shown(name)} is ${shown(value)}, but must be a mapping.`,
    'Write its image or build under it, or remove it.',
  )

const WHY: Record<Tangle, string> = {
  cycle: 'has an alias inside the block that it stands for.',
  depth: 'is nested deeper than any key of Compose lies.',
  size: 'grows to more than 200000 values by its aliases.',
}
const tangled = (file: string, tangle: Tangle): Problem =>
  bad(`${file} ${WHY[tangle]}`, 'Write the values out instead of using & and *.')
