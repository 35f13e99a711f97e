import { problem } from '../../../core/shared/problem.ts'
import type { NotMapped } from '../propose.ts'
import { type Dependency, dependenciesOf } from './depends-on.ts'
import { contextOf, splitReference } from './image.ts'
import { networksOf } from './networks.ts'
import { type Keys, keysOf, noNotes } from './notes.ts'
import { portsOf } from './ports.ts'
import type { ComposeFile } from './read-compose.ts'
import { keeperByName, keeperOf, whyLeft } from './stateful.ts'
import { mountsOf } from './volumes.ts'

/** What stays with compose, with the reason, and what of it the others need to know. */
export type Stays = {
  left: NotMapped[]
  /** Of those, the ones that run all the time. */
  running: string[]
  /** Networks of the file that are there because of it. */
  networks: Set<string>
  /** Where this machine reaches it, of those that publish a port. */
  addressOf: Map<string, string>
}

/** Which services nobody releases through a router. Nothing else about them is reported. */
export function whatStays({ services, lineOf }: ComposeFile): Stays {
  const outlines = services.map(([name, values]) => {
    const keys = keysOf({ service: name, values, lineOf: () => 0, notes: noNotes() })
    return { name, keys, dependencies: dependenciesOf(keys) }
  })
  const runOnce = new Set(outlines.flatMap(({ dependencies }) => dependencies.flatMap(awaitsEnd)))
  const stays: Stays = { left: [], running: [], networks: new Set(), addressOf: new Map() }
  for (const { name, keys } of outlines) {
    const why = runOnce.has(name) ? RUNS_ONCE : whyStays(keys)
    if (why === null) continue
    stays.left.push({ name, line: lineOf(['services', name]), why })
    if (why === RUNS_ONCE || keys.raw('profiles') !== undefined) continue
    stays.running.push(name)
    for (const network of networksOf(keys) ?? []) stays.networks.add(network)
    const port = portsOf(keys).find(({ isTcp, published }) => isTcp && published !== null)
    if (port !== undefined && (port.host === null || !port.host.startsWith('[')))
      stays.addressOf.set(name, `${reachable(port.host)}:${port.published}`)
  }
  return stays
}

const awaitsEnd = ({ service, condition }: Dependency): string[] =>
  condition === 'service_completed_successfully' ? [service] : []

const reachable = (host: string | null): string => (host === null || host === '0.0.0.0' ? '127.0.0.1' : host)

const RUNS_ONCE =
  'It runs once and ends, which is no service. Run it before "sluice deploy", for example with "docker compose run --rm".'

function whyStays(keys: Keys): string | null {
  const profiles = keys.raw('profiles')
  if (Array.isArray(profiles) && profiles.length > 0)
    return `It has profiles (${profiles.map(String).join(', ')}), so "docker compose up" does not start it. Leave it with compose.`
  const image = keys.raw('image')
  const mounts = mountsOf(keys)
  const name = typeof image === 'string' ? splitReference(image).name : `built from ${contextOf(keys)}`
  const what = keeperOf(name) ?? keeperByName(keys.service, mounts)
  return what === null ? null : whyLeft(what, { image: name, mounts })
}

export const nothingLeft = (file: string, left: readonly NotMapped[]) =>
  problem('IMPORT_NOTHING_TO_MAP', {
    message: `No service of ${file} can be released. ${left.map(({ name, why }) => `${name}: ${why}`).join(' ')}`,
    remedy: 'Name a Compose file with a service of your own, or write sluice.yaml by hand: "sluice init".',
  })
