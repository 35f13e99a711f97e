import type { ServiceDraft } from './service.ts'

/** Where services take requests, and every port that is spoken for. */
export type Doors = { listenOf: Map<string, string>; taken: Set<number>; toCheck: string[] }

/** For services that Compose shows to other containers only. */
const FIRST_INNER_PORT = 8081
const LAST_PORT = 65_535

/** What Compose publishes stays where it is; what it does not gets a port of this machine alone. */
export function doorsFor(drafts: readonly ServiceDraft[]): Doors {
  const doors: Doors = { listenOf: new Map(), taken: new Set(), toCheck: [] }
  const withPort = drafts.filter(({ port }) => port !== null)
  for (const { name, published } of withPort) {
    if (published?.published == null || doors.taken.has(published.published)) continue
    doors.taken.add(published.published)
    doors.listenOf.set(name, `${published.host ?? '0.0.0.0'}:${published.published}`)
  }
  for (const { name } of withPort.filter((one) => !doors.listenOf.has(one.name))) {
    const listen = `127.0.0.1:${takePort(FIRST_INNER_PORT, doors.taken)}`
    doors.listenOf.set(name, listen)
    doors.toCheck.push(
      `${name} had no fixed port of the machine; ${listen} was taken for it. If only containers call it, they must reach that address.`,
    )
  }
  return doors
}

/** The first free port from `first` on. */
export function takePort(first: number, taken: Set<number>): number {
  let port = Math.min(first, LAST_PORT)
  while (taken.has(port)) port = port === LAST_PORT ? FIRST_INNER_PORT : port + 1
  taken.add(port)
  return port
}
