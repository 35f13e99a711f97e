import type { Problem } from '../shared/problem.ts'
import { problem } from '../shared/problem.ts'
import type { Result } from '../shared/result.ts'
import { failed, ok } from '../shared/result.ts'
import type { Command } from './command.ts'
import type { Event } from './event.ts'
import { mayLeave } from './set-upkeep.ts'
import type { ServiceState, SetState } from './state.ts'

/** Lets go of a candidate that is kept for inspection, before its time or because nothing else ends it. */
export function discard(
  state: ServiceState,
  { release, actor, note }: Extract<Command, { kind: 'discard' }>,
  now: number,
): Result<Event[]> {
  const found = heldSet(state, release)
  if (found.kind === 'failed') return found
  const set = found.value
  if (!mayLeave(state, set)) return failed(standsIn(set))
  const message = `${set.version} was discarded by ${actor.name}${note === '' ? '' : `: ${note}`}`
  const evidence = note === '' ? {} : { note }
  const reason = { code: 'DISCARDED', message, evidence, actor }
  return ok([{ kind: 'set-retiring', at: now, release: set.release, reason }])
}

function heldSet({ stream, sets }: ServiceState, named: string | null): Result<SetState> {
  const held = sets.filter(
    ({ role, releaseAt }) => role === 'held' || (role === 'warm' && releaseAt !== null),
  )
  const meant =
    named === null ? held : held.filter(({ release, version }) => release === named || version === named)
  const [first, ...others] = meant
  if (first === undefined) return failed(notHeld(stream, { named, held }))
  return others.length === 0 ? ok(first) : failed(severalHeld(meant))
}

const namesOf = (sets: readonly SetState[]): string => sets.map(({ release }) => release).join(', ')

const notHeld = (stream: string, { named, held }: { named: string | null; held: SetState[] }): Problem =>
  problem('NOTHING_HELD', {
    message:
      named === null
        ? `No candidate of ${stream} is held for inspection.`
        : `${named} is not held for inspection in ${stream}.`,
    remedy: held.length === 0 ? 'There is nothing to do.' : `Held are: ${namesOf(held)}.`,
  })

const severalHeld = (held: readonly SetState[]): Problem =>
  problem('SEVERAL_HELD', {
    message: `Several candidates are held for inspection: ${namesOf(held)}.`,
    remedy: 'Name one: sluice release discard RELEASE.',
  })

const standsIn = ({ version }: SetState): Problem =>
  problem('NOT_ALLOWED_NOW', {
    message: `Cannot discard ${version} now: it stands in for stable, which has lost instances.`,
    remedy: 'Wait until stable is whole again; see "sluice status".',
    retryable: true,
  })
