import { constants } from 'node:os'
import type { ContainerInspectInfo } from 'dockerode'
import type { ExitStatus } from '../../core/shared/instance.ts'
import { exitStatus } from '../exit-cause.ts'

/** What the engine says about a container, in the words of instances. */
export type ContainerState =
  | { kind: 'running'; pid: number; startedAt: string; paused: boolean }
  /** Somebody's restart policy has the engine start it again. */
  | { kind: 'restarting' }
  | { kind: 'never-started' }
  | { kind: 'ended'; code: number; outOfMemory: boolean; at: number | null; said: string }

export function stateOf({ State }: Pick<ContainerInspectInfo, 'State'>): ContainerState {
  if (State.Restarting) return { kind: 'restarting' }
  if (State.Running && State.Pid > 0)
    return { kind: 'running', pid: State.Pid, startedAt: State.StartedAt, paused: State.Paused }
  if (State.Status === 'created') return { kind: 'never-started' }
  const at = Date.parse(State.FinishedAt)
  return {
    kind: 'ended',
    code: State.ExitCode,
    outOfMemory: State.OOMKilled,
    // The engine writes the year 1 where it does not know.
    at: at > 0 ? at : null,
    said: State.Error,
  }
}

/** What shells and engines add to the number of the signal that ended a program. */
const BY_SIGNAL = 128

/** A program may end itself with 143, too; nobody can tell that from SIGTERM, and nobody does it without one. */
export function exitOf(
  { code, outOfMemory }: { code: number; outOfMemory: boolean },
  { at, endedByUs }: { at: number; endedByUs: Parameters<typeof exitStatus>[0]['endedByUs'] },
): ExitStatus {
  const signal = signalNamed(code - BY_SIGNAL)
  const isOom = outOfMemory && signal === 'SIGKILL'
  return exitStatus({ code: signal === null ? code : null, signal, at, endedByUs, oomCounted: isOom })
}

function signalNamed(number: number): string | null {
  const found = Object.entries(constants.signals).find(([, value]) => value === number)
  return found?.[0] ?? null
}
