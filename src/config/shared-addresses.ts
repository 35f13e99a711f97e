import { servingsOf } from '../core/release/servings.ts'
import type { ServiceSettings } from '../core/release/settings.ts'
import { entryConflict, isSelective } from '../core/shared/entry.ts'
import type { Complaint } from './complaint.ts'

type Address = NonNullable<ServiceSettings['listen']>
/** `entry`: which requests there are meant; `null` for a preview, which shares its address with nobody. */
type Taken = { path: string; address: Address; entry: ServiceSettings | null }

/** Two services cannot take the same requests at one address. Port 0 is a different port each time. */
export function sharedAddresses(
  all: readonly ServiceSettings[],
): { service: string; conflict: Complaint & { paths: string[] } }[] {
  return all.flatMap((settings, index) =>
    addressesOf(settings).flatMap((mine) => {
      const found = all.slice(0, index).flatMap((earlier) =>
        addressesOf(earlier).flatMap((theirs) => {
          const complaint = sharingComplaint(mine, theirs, earlier.service)
          return complaint === null ? [] : [complaint]
        }),
      )
      return found
        .slice(0, 1)
        .map((complaint) => ({ service: settings.service, conflict: { paths: [mine.path], ...complaint } }))
    }),
  )
}

/** Where a service listens: for live traffic, and for those who look at the candidate. */
function addressesOf(settings: ServiceSettings): Taken[] {
  const preview = previewOf(settings.strategy)
  return [
    ...servingsOf(settings).flatMap((serving, index) =>
      serving.listen === null
        ? []
        : [{ path: index === 0 ? 'listen' : 'also', address: serving.listen, entry: serving }],
    ),
    ...(preview === null ? [] : [{ ...preview, entry: null }]),
  ]
}

function sharingComplaint(mine: Taken, theirs: Taken, service: string): Complaint | null {
  if (!sameAddress(theirs.address, mine.address)) return null
  const found = whyNotShared(mine, theirs)
  if (found === null) return null
  const at = `is ${addressText(mine.address)}, where ${service} listens already`
  return { code: 'CONFIG_SAME_ADDRESS', message: `${at}${found.why}`, remedy: found.remedy }
}

function whyNotShared(mine: Taken, theirs: Taken): { why: string; remedy: string } | null {
  const [one, other] = [mine.entry, theirs.entry]
  if (one === null || other === null) return { why: '', remedy: 'Give each service a port of its own.' }
  if (!isSelective(one) && !isSelective(other)) return { why: '', remedy: APART }
  if (mine.address.host !== theirs.address.host)
    return {
      why: ` (as ${addressText(theirs.address)})`,
      remedy: 'Write the address in the same way in both, or give each service a port of its own.',
    }
  if (one.router !== other.router)
    return {
      why: ` with router: ${other.router}`,
      remedy: 'Give both the same router, or each a port of its own.',
    }
  const why = entryConflict(one, other)
  return why === null ? null : { why: `, and ${why}`, remedy: APART }
}

const APART = 'Give each service a port of its own, or hosts and paths that tell them apart.'

export function previewOf(strategy: ServiceSettings['strategy']): { path: string; address: Address } | null {
  if (strategy.kind !== 'canary' && strategy.kind !== 'blue-green') return null
  const path = `strategy.${strategy.kind === 'canary' ? 'canary' : 'blueGreen'}.preview`
  return strategy.preview === undefined ? null : { path, address: strategy.preview }
}

export const addressText = ({ host, port }: Address): string => `${host}:${port}`

export function sameAddress(a: Address, b: Address): boolean {
  if (a.port !== b.port || a.port === 0) return false
  const [hostA, hostB] = [plainHost(a.host), plainHost(b.host)]
  return hostA === hostB || hostA === '*' || hostB === '*'
}

function plainHost(host: string): string {
  if (host === '0.0.0.0' || host === '::') return '*'
  return host.toLowerCase() === 'localhost' ? '127.0.0.1' : host.toLowerCase()
}
