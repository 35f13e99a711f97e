import type { RouteSet, ServiceRoutes } from '../../../core/shared/routes.ts'
import type { FencingToken } from '../../../core/shared/token.ts'
import { TOTAL_PERMILLE } from '../../../core/shared/weight.ts'
import { KEYS, type MapEntry, slotIn } from './keys.ts'
import type { Placed } from './own.ts'
import { userEntries } from './users.ts'

/** The map for these routes. */
export function entriesOf({ routes, place }: Placed): MapEntry[] {
  const slot = slotIn({ routes, place })
  const single = (key: number, value: string): MapEntry => ({ key: `${key}`, value })
  const { preview, closed } = routes
  return [
    ...weightEntries(
      inOrder(routes).map(({ release, weightPermille }) => ({ to: slot(release), permille: weightPermille })),
    ),
    single(KEYS.token, tokenWord(routes.token)),
    ...(preview === null || preview.release === null ? [] : [single(KEYS.preview, slot(preview.release))]),
    ...(closed === null ? [] : [single(KEYS.closed, `${closed.retryAfterS}`)]),
    ...place.slots.flatMap((release, at) =>
      release === null ? [] : [single(KEYS.release + at, Buffer.from(release).toString('base64'))],
    ),
    ...routes.rules.map(({ release }, at) => single(KEYS.rule + at, slot(release))),
    ...userEntries({ routes, place }),
  ]
}

/** The release that users move to comes first, so that a weight that rises only ever moves users there. */
function inOrder({ sets, sticky }: ServiceRoutes): readonly RouteSet[] {
  if (sticky?.kind !== 'assign') return sets
  const isFirst = ({ release }: RouteSet): boolean => release === sticky.release
  return [...sets.filter(isFirst), ...sets.filter((set) => !isFirst(set))]
}

function weightEntries(shares: readonly { to: string; permille: number }[]): MapEntry[] {
  let from = 0
  return shares.flatMap(({ to, permille }) => {
    if (permille === 0) return []
    const key = `${from}:${from + permille - 1}`
    from += permille
    return [{ key, value: to }]
  })
}

/** What HAProxy says a map holds, read. */
export type Table = {
  token: FencingToken | null
  /** By backend. */
  permille: ReadonlyMap<string, number>
  closed: { retryAfterS: number } | null
}

export function readTable(entries: readonly MapEntry[]): Table {
  const permille = new Map<string, number>()
  for (const { key, value } of entries) {
    const share = shareOf(key)
    if (share > 0) permille.set(value, (permille.get(value) ?? 0) + share)
  }
  const single = (key: number): string | null =>
    entries.find((entry) => entry.key === `${key}`)?.value ?? null
  const retryAfterS = Number(single(KEYS.closed) ?? Number.NaN)
  return {
    token: readTokenWord(single(KEYS.token)),
    permille,
    closed: Number.isInteger(retryAfterS) ? { retryAfterS } : null,
  }
}

/** `950:999` are 50 of 1,000. A single number, by hand, is one. */
function shareOf(key: string): number {
  const [, from = '', to = from] = /^(\d{1,6})(?::(\d{1,6}))?$/.exec(key) ?? []
  if (from === '') return 0
  return Math.max(0, Math.min(Number(to), TOTAL_PERMILLE - 1) - Number(from) + 1)
}

export const sameEntries = (a: readonly MapEntry[], b: readonly MapEntry[]): boolean =>
  textOf(a) === textOf(b)

/** The file that HAProxy reads at its start. */
export const textOf = (entries: readonly MapEntry[]): string =>
  entries.map(({ key, value }) => `${key} ${value}\n`).join('')

function tokenWord({ epoch, sequence, rollout }: FencingToken): string {
  return `${epoch}.${sequence}.${rollout === null ? '-' : Buffer.from(rollout).toString('base64url')}`
}

function readTokenWord(word: string | null): FencingToken | null {
  const [, epoch, sequence, rollout] = /^(\d{1,15})\.(\d{1,15})\.([\w-]*)$/.exec(word ?? '') ?? []
  if (epoch === undefined || sequence === undefined || rollout === undefined) return null
  const name = rollout === '-' ? null : Buffer.from(rollout, 'base64url').toString('utf8')
  return { epoch: Number(epoch), sequence: Number(sequence), rollout: name }
}
