import type { ProcessIdentity } from './instance-record.ts'
import { listenersOf } from './listening-ports.ts'
import { familyOf } from './process-table.ts'

/** Why a refused health check was refused, when the instance listens elsewhere; `null` when it listens nowhere (or on other systems). */
export function explainRefusal(leader: ProcessIdentity, expectedPort: number): string | null {
  const found = listenersOf(familyOf(leader).map((row) => row.pid))
  return describeListeners(found, expectedPort)
}

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
