import type { ExitStatus } from '../core/shared/instance.ts'

/** Signals that only come from somebody else; the others (SIGSEGV, SIGABRT ...) a program earns by itself. */
const SENT_BY_OTHERS = new Set(['SIGKILL', 'SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2'])

export type ExitFacts = {
  code: number | null
  signal: string | null
  at: number
  /** We sent it the signal to end: for good, or for a restart since it was not live. */
  endedByUs: 'stopped-by-us' | 'not-live' | null
  /** Its own cgroup counted an out-of-memory kill. */
  oomCounted: boolean
}

/** Names a cause only as far as it is known: a SIGKILL without a word from the kernel stays unknown. */
export function exitStatus({ code, signal, at, endedByUs, oomCounted }: ExitFacts): ExitStatus {
  const status = { code, signal, at }
  if (oomCounted && signal === 'SIGKILL') return { ...status, cause: 'oom' }
  if (endedByUs !== null) return { ...status, cause: endedByUs }
  if (signal !== null && SENT_BY_OTHERS.has(signal)) return { ...status, cause: 'killed-unknown' }
  return { ...status, cause: 'exited' }
}

/** It ended while nobody watched, or it was not our child. */
export const unknownExit = (at: number): ExitStatus => ({ code: null, signal: null, cause: 'unknown', at })

/** Said by Node, Python, Go, Java and most others when the port was taken between choosing and starting. */
export const saysAddressInUse = (output: string): boolean => /EADDRINUSE|address already in use/i.test(output)
