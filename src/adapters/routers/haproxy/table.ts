import type { FencingToken } from '../../../core/shared/token.ts'
import { TOTAL_PERMILLE } from '../../../core/shared/weight.ts'
import { slotOf } from './names.ts'
import type { Placed } from './own.ts'

/**
 * Where requests go is one map per service, from a number to a word, and HAProxy swaps a map as a whole: all of it changes
 * with one and the same request. `0:949` are the weights: each request draws a number under 1,000. Beyond stand single
 * numbers.
 */
export const KEYS = {
  /** Which change this is. */
  token: 2_000,
  preview: 3_000,
  /** Seconds after which clients may come back. Where it stands, nobody is served. */
  closed: 4_000,
  /** `RELEASE + n`: the id of the release in slot n, in base64. */
  release: 5_000,
  /** `RULE + n`: where the n-th rule sends. */
  rule: 10_000,
} as const

export type MapEntry = { key: string; value: string }

/** The map for these routes. */
export function entriesOf({ routes, place }: Placed): MapEntry[] {
  const slot = (release: string): string => slotOf(routes.service, place.slots.indexOf(release))
  const single = (key: number, value: string): MapEntry => ({ key: `${key}`, value })
  const { preview, closed } = routes
  return [
    ...weightEntries(
      routes.sets.map(({ release, weightPermille }) => ({ to: slot(release), permille: weightPermille })),
    ),
    single(KEYS.token, tokenWord(routes.token)),
    ...(preview === null || preview.release === null ? [] : [single(KEYS.preview, slot(preview.release))]),
    ...(closed === null ? [] : [single(KEYS.closed, `${closed.retryAfterS}`)]),
    ...place.slots.flatMap((release, at) =>
      release === null ? [] : [single(KEYS.release + at, Buffer.from(release).toString('base64'))],
    ),
    ...routes.rules.map(({ release }, at) => single(KEYS.rule + at, slot(release))),
  ]
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
