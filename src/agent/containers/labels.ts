import { compareTokens, type FencingToken } from '../../core/shared/token.ts'

/** On every container that an agent made. */
export const LABEL = {
  service: 'io.sluice.service',
  release: 'io.sluice.release',
  version: 'io.sluice.version',
  instance: 'io.sluice.instance',
  epoch: 'io.sluice.epoch',
  sequence: 'io.sluice.sequence',
  /** Of which installation: the folder of its agent. */
  folder: 'io.sluice.folder',
} as const

export type Labels = Record<string, string>

type Owner = { service: string; release: string; version: string; instance: string; folder: string }

export const labelsOf = (owner: Owner, token: FencingToken | null): Labels => ({
  [LABEL.service]: owner.service,
  [LABEL.release]: owner.release,
  [LABEL.version]: owner.version,
  [LABEL.instance]: owner.instance,
  [LABEL.folder]: owner.folder,
  [LABEL.epoch]: String(token?.epoch ?? 0),
  [LABEL.sequence]: String(token?.sequence ?? 0),
})

/** The token of the command that made it; `null` where somebody wrote something else there. */
export function tokenOf(labels: Labels): FencingToken | null {
  const [epoch, sequence] = [labels[LABEL.epoch] ?? '', labels[LABEL.sequence] ?? '']
  const isNumber = (text: string) => /^\d{1,15}$/.test(text)
  return isNumber(epoch) && isNumber(sequence)
    ? { epoch: Number(epoch), sequence: Number(sequence), rollout: null }
    : null
}

/** What another agent with a newer command has made; `null` while ours is the newest. */
export function newerThan(own: FencingToken | null, seen: readonly Labels[]): FencingToken | null {
  const tokens = seen.flatMap((labels) => tokenOf(labels) ?? [])
  const [highest] = tokens.toSorted((a, b) => compareTokens(b, a))
  if (highest === undefined || own === null) return highest ?? null
  return compareTokens(highest, own) > 0 ? highest : null
}

const LONGEST_NAME = 100

/** A name that the engine takes. It is as unique as the id that it is made from. */
export const nameOf = (instance: string): string =>
  instance
    .replace(/[^a-zA-Z0-9_.-]/g, '-')
    .replace(/^[^a-zA-Z0-9]+/, '')
    .slice(-LONGEST_NAME)
