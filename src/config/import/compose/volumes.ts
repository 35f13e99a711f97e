import * as z from 'zod'
import { shown } from '../../complaint.ts'
import { volume as volumeScalar } from '../../scalars-container.ts'
import { contextOf } from './image.ts'
import type { Keys } from './notes.ts'
import { isMapping } from './read-compose.ts'

/** What a service has mounted, before it is known whether it becomes a service here. */
export type Mount = {
  kind: 'volume' | 'bind' | 'other'
  /** A path as it stands, or the name of a volume in the file; empty where Compose makes one up. */
  source: string
  target: string
  readOnly: boolean
}

const Long = z.object({
  type: z.string().default('volume'),
  source: z.string().default(''),
  target: z.string(),
  read_only: z.boolean().default(false),
})

/** Everything that is mounted; what cannot be read is left out with the reason. */
export function mountsOf(keys: Keys): Mount[] {
  const items = keys.read('volumes', z.array(z.unknown())) ?? []
  return items.flatMap((item) => {
    const mount = typeof item === 'string' ? shortMount(item) : longMount(item)
    if (mount === null) keys.leaveOut('volumes', `${shown(item)} is no volume that Compose knows.`)
    return mount ?? []
  })
}

function shortMount(text: string): Mount | null {
  const parts = text.split(':')
  const [source = '', target = '', mode = ''] = parts.length === 1 ? ['', text] : parts
  if (parts.length > 3 || !target.startsWith('/')) return null
  return {
    kind: /^[./~]/.test(source) ? 'bind' : 'volume',
    source,
    target,
    readOnly: mode.split(',').includes('ro'),
  }
}

function longMount(item: unknown): Mount | null {
  const long = Long.safeParse(item)
  if (!long.success || !long.data.target.startsWith('/')) return null
  const { type, source, target, read_only: readOnly } = long.data
  return { kind: type === 'bind' || type === 'volume' ? type : 'other', source, target, readOnly }
}

type VolumeNames = { project: string; base: string; volumes: Readonly<Record<string, unknown>> }

/** `source:target[:ro]` for each mount that both versions can have at the same time. */
export function volumesOf(keys: Keys, mounts: readonly Mount[], names: VolumeNames): string[] {
  const targets = new Set<string>()
  return mounts.flatMap((mount) => {
    const why = whyNotMounted(keys, mount, targets)
    const proposed = `${sourceOf(mount, names)}:${mount.target}${mount.readOnly ? ':ro' : ''}`
    if (why === null && volumeScalar().safeParse(proposed).success) {
      targets.add(mount.target)
      if (mount.kind === 'volume' && !mount.readOnly)
        keys.check(
          `${keys.service} writes to the volume ${mount.source}. During a release both versions have it at the same time.`,
        )
      return proposed
    }
    keys.leaveOut('volumes', why ?? `${shown(proposed)} cannot be mounted here.`)
    return []
  })
}

function whyNotMounted(
  keys: Keys,
  { kind, source, target }: Mount,
  targets: ReadonlySet<string>,
): string | null {
  if (kind === 'other')
    return `${target} is in memory or of another kind, and only paths and named volumes are mounted.`
  if (source === '')
    return `${target} has no name, so every container has one of its own. The image can say it itself with VOLUME.`
  if (/(^|\/)docker\.sock$/.test(source))
    return `${source} lets the service do everything on this machine. Add it by hand if you mean that.`
  if (source.startsWith('~')) return `${source} is understood by a shell only. Write the path in full.`
  if (kind === 'bind' && keys.raw('build') !== undefined && isInside(source, contextOf(keys)))
    return `${source} holds the sources from which the image is built. Mounted, both versions would run the same files.`
  if (targets.has(target)) return `${target} is mounted twice.`
  return null
}

function isInside(path: string, folder: string): boolean {
  const plain = (text: string): string => `${text.replace(/^\.\/?|\/+$/g, '')}/`.replace(/^\/$/, '')
  return !path.startsWith('..') && !path.startsWith('/') && plain(path).startsWith(plain(folder))
}

/** Compose puts the name of the project before that of a volume, unless the volume has a name of its own or is not its own. */
function sourceOf({ kind, source }: Mount, { project, base, volumes }: VolumeNames): string {
  if (kind !== 'bind') return engineName(source, volumes, project)
  if (base === '.' || source.startsWith('/')) return source
  return `${base.startsWith('.') ? '' : './'}${base}/${source.replace(/^\.\//, '')}`
}

/** How the engine knows a volume or network of the file. */
export function engineName(name: string, all: Readonly<Record<string, unknown>>, project: string): string {
  const entry = new Map(Object.entries(all)).get(name)
  if (!isMapping(entry)) return `${project}_${name}`
  const { name: own, external } = entry
  if (typeof own === 'string' && !own.includes('$')) return own
  return external === true ? name : `${project}_${name}`
}
