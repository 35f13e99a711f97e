import type { ProcessIdentity } from '../instance-record.ts'
import { listenersOf, parseSockets } from './listening-ports.ts'
import { familyOf, isAlive, readProc } from './process-table.ts'

/** Why a refused health check was refused, when the instance listens elsewhere; `null` when it listens nowhere (or on other systems). */
export function explainRefusal(leader: ProcessIdentity, expectedPort: number): string | null {
  const found = listenersOf(familyOf(leader).map((row) => row.pid))
  return describeListeners(found, expectedPort)
}

/** The same for a container: its first process sees the network that it listens in. Not on another machine, whose numbers stand for others here. */
export function explainRefusalInside(leader: ProcessIdentity, expectedPort: number): string | null {
  if (!isAlive(leader)) return null
  const { pid } = leader
  const found = ['tcp', 'tcp6'].flatMap((table) => parseSockets(readProc(`${pid}/net/${table}`) ?? ''))
  return describeListenersInside(found, expectedPort)
}

/** Addresses beginning so are for the container alone. */
const LOOPBACK = /^(127\.|\[::1\])/

export function describeListenersInside(
  found: readonly { address: string; port: number }[],
  expectedPort: number,
): string | null {
  // The engine's own resolver of names listens in every container of a network.
  const own = found.filter(({ address }) => address !== ENGINE_RESOLVER)
  const here = own.find(({ port }) => port === expectedPort)
  if (here === undefined) return own.length === 0 ? null : describeListeners(own, expectedPort)
  if (!LOOPBACK.test(here.address)) return null
  return `listens on ${here.address}:${expectedPort} inside its container, where nobody outside reaches it: let it listen on 0.0.0.0`
}

const ENGINE_RESOLVER = '127.0.0.11'

/** Pure part: the sentence for a list of listeners. */
export function describeListeners(
  found: readonly { address: string; port: number }[],
  expectedPort: number,
): string | null {
  if (found.length === 0) return null
  const here = found.find((listener) => listener.port === expectedPort)
  if (here !== undefined) {
    return `listens on ${here.address}:${expectedPort} but not on 127.0.0.1: does it bind the right address?`
  }
  const ports = [...new Set(found.map((listener) => listener.port))].join(', ')
  return `listens on ${ports}, expected ${expectedPort}: does the command use {{port}} or PORT?`
}
