import { failed, ok, type Result } from '../../../core/shared/result.ts'
import type { ImportRequest, NotMapped } from '../propose.ts'
import { dependenciesOf, needsOf } from './depends-on.ts'
import { type Doors, doorsFor } from './doors.ts'
import { type EnvironmentProposal, environmentsFor } from './environments.ts'
import { networkOf, networksOf } from './networks.ts'
import { type Keys, keysOf, type Notes, noNotes } from './notes.ts'
import type { ProposedContainer } from './proposed-container.ts'
import { type ComposeFile, isMapping, readCompose } from './read-compose.ts'
import { draftOf, type ServiceDraft } from './service.ts'
import { nothingLeft, type Stays, whatStays } from './stays.ts'
import { mountsOf, volumesOf } from './volumes.ts'

/** A `sluice.yaml` as it follows from a Compose file, before it is written. */
export type ComposeProposal = {
  from: string
  project: string
  services: ProposedContainer[]
  environments: EnvironmentProposal[]
  /** Services that nobody releases through a router, with the reason. */
  left: NotMapped[]
  /** Those of them that run all the time. */
  running: string[]
  notMapped: NotMapped[]
  toCheck: string[]
}

/** Reads a Compose file into a proposal: each of its services, and each key of them, becomes something or is answered for. */
export function proposeFromCompose({
  file,
  text,
  files,
  name,
  artifact: base,
}: ImportRequest): Result<ComposeProposal> {
  const compose = readCompose(file, text)
  if (compose.kind === 'failed') return compose
  const notes = noNotes()
  const project = projectOf(compose.value, [name, files.folderName])
  const stays = whatStays(compose.value)
  const drafts = draftsOf(compose.value, { project, files, base, notes, stays })
  if (drafts.length === 0) return failed(nothingLeft(file, [...stays.left, ...notes.notMapped]))
  const doors = doorsFor(drafts.map(({ draft }) => draft))
  const services = drafts.map((one) =>
    placed(one, { compose: compose.value, project, base, stays, doors, drafts }),
  )
  leaveTop(compose.value, notes)
  return ok({
    from: file,
    project,
    services,
    environments: environmentsFor(services, { project, taken: doors.taken }),
    left: stays.left,
    running: stays.running,
    notMapped: notes.notMapped.toSorted((a, b) => a.line - b.line),
    toCheck: [...notes.toCheck, ...doors.toCheck, ...calledByName(services), ...defaultsTaken(notes)],
  })
}

/** As Compose makes it fit: its networks and volumes are called after it. */
function projectOf({ name }: ComposeFile, others: readonly (string | undefined)[]): string {
  const said = others[0] ?? (typeof name === 'string' && !name.includes('$') ? name : others[1])
  const fit = (said ?? '')
    .toLowerCase()
    .replace(/[^a-z0-9_-]/g, '')
    .replace(/^[_-]+/, '')
    .slice(0, 60)
  return fit === '' ? 'app' : fit
}

type Drafted = { draft: ServiceDraft; keys: Keys }
type DraftInput = {
  project: string
  files: ImportRequest['files']
  /** From the new file to the folder of the Compose file. */
  base: string
  notes: Notes
  stays: Stays
}

function draftsOf(
  { services, lineOf }: ComposeFile,
  { project, files, base, notes, stays }: DraftInput,
): Drafted[] {
  const staying = new Set(stays.left.map((one) => one.name))
  const names = new Set<string>()
  return services.flatMap(([service, values]) => {
    if (staying.has(service)) return []
    const keys = keysOf({
      service,
      values,
      lineOf: (key) => lineOf(['services', service, ...key.split('.')]),
      notes,
    })
    const draft = draftOf(keys, { project, files, base, line: lineOf(['services', service]) })
    if (draft === null) return []
    if (names.has(draft.name)) {
      keys.leaveOut('image', `As the name of a service, ${draft.name} is the same as that of another one.`)
      return []
    }
    names.add(draft.name)
    return { draft, keys }
  })
}

type Placing = {
  compose: ComposeFile
  project: string
  base: string
  stays: Stays
  doors: Doors
  drafts: readonly Drafted[]
}

function placed(
  { draft, keys }: Drafted,
  { compose, project, base, stays, doors, drafts }: Placing,
): ProposedContainer {
  const externals = Object.entries(compose.networks).flatMap(([name, one]) =>
    isMapping(one) && one.external === true ? name : [],
  )
  return {
    ...draft,
    listen: doors.listenOf.get(draft.name) ?? null,
    network: networkOf(keys, networksOf(keys) ?? [], {
      project,
      networks: compose.networks,
      there: new Set([...stays.networks, ...externals]),
    }),
    volumes: volumesOf(keys, mountsOf(keys), { project, base, volumes: compose.volumes }),
    checks: needsOf(keys, dependenciesOf(keys), {
      addressOf: stays.addressOf,
      released: new Set(drafts.map((one) => one.keys.service)),
    }),
  }
}

/** Keys at the top of the file; `version` says nothing any more, and `x-...` is there to be named by others. */
function leaveTop({ others, lineOf }: ComposeFile, notes: Notes): void {
  for (const name of others) {
    if (name === 'version' || name.startsWith('x-')) continue
    const why = TOP.get(name) ?? 'It is no key of Compose that is known here.'
    notes.notMapped.push({ name, line: lineOf([name]), why })
  }
}

const TOP = new Map([
  ['configs', 'Put such files into the image, or mount them with run.volumes.'],
  [
    'include',
    'Services of other files are not followed. "docker compose config --no-interpolate" writes a file in which everything stands: import that one.',
  ],
  ['models', 'They are no services.'],
])

/** Services of one file call each other by name; here the requests of such a call go through the data plane. */
function calledByName(services: readonly ProposedContainer[]): string[] {
  return services.flatMap((caller) =>
    services.flatMap((called) => {
      if (caller === called || called.listen === null) return []
      const name = called.composeName.replaceAll(/[^\w-]/g, '\\$&')
      const pattern = new RegExp(`(?:^|//|@)${name}(?::\\d+|/|$)`)
      const variables = Object.entries(caller.env).flatMap(([key, value]) => (pattern.test(value) ? key : []))
      if (variables.length === 0) return []
      return `${caller.name} calls ${called.name} by name (${variables.join(', ')}). Its requests must come to the data plane, at ${called.listen}: let ${called.name} listen at an address that containers reach, such as that of the machine on their network, and write it there.`
    }),
  )
}

const defaultsTaken = ({ defaultsOf }: Notes): string[] =>
  defaultsOf.size === 0
    ? []
    : [
        `Defaults were taken for ${[...defaultsOf].join(', ')}. Where the shell or a .env sets them otherwise, change what stands here.`,
      ]
