import { LEASE_MS } from '../../engine/lease.ts'

/** The parts without which a controller cannot do its work. */
export const NEEDED_PARTS = ['store', 'leases', 'proxy', 'agent'] as const
export type NeededPart = (typeof NEEDED_PARTS)[number]

/** `null` for a part that works, otherwise the code of what is wrong with it. */
export type PartStates = Record<NeededPart, string | null>

/** Longer than it takes to start a part anew and to give up on it. */
const PART_SILENCE_MS = 15_000

export interface Readiness {
  /** A part answered, or why it did not. */
  note(part: NeededPart, code: string | null): void
  /** From memory: whoever asks a thousand times a second costs nothing. */
  read(): PartStates
}

/**
 * What is known about the parts from the work that goes on anyway. Silence counts as failure: a loop that stands still
 * tells nothing.
 */
export function createReadiness(monotonic: () => number): Readiness {
  const heard = new Map<NeededPart, Heard>()
  const stateOf = (part: NeededPart): string | null => {
    const last = heard.get(part) ?? NEVER
    const limitMs = part === 'proxy' || part === 'agent' ? PART_SILENCE_MS : LEASE_MS
    return monotonic() - last.at > limitMs ? SILENT.code : last.code
  }
  return {
    note: (part, code) => void heard.set(part, { code, at: monotonic() }),
    read: () => ({
      store: stateOf('store'),
      leases: stateOf('leases'),
      proxy: stateOf('proxy'),
      agent: stateOf('agent'),
    }),
  }
}

type Heard = { code: string | null; at: number }
const NEVER: Heard = { code: 'NOT_SEEN_YET', at: Number.POSITIVE_INFINITY }
const SILENT = { code: 'NOT_HEARD_OF' }
