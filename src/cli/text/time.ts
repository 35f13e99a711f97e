import { formatDuration } from '../../core/shared/duration.ts'

/** `12:04:31`, in UTC so that lines from several machines compare. */
export const clockTime = (at: number): string => new Date(at).toISOString().slice(11, 19)

/** `2026-11-21 12:04:31`, in UTC. */
export const dateTime = (at: number): string => new Date(at).toISOString().slice(0, 19).replace('T', ' ')

/** A span of time for people: whole seconds once it is longer than that. `-` when not known. */
export function span(ms: number | null): string {
  if (ms === null) return '-'
  const positive = Math.max(0, ms)
  return formatDuration(positive >= 1000 ? Math.floor(positive / 1000) * 1000 : positive)
}

/** `0s` rather than milliseconds: for what ticks on the screen. */
export const ticking = (ms: number): string =>
  formatDuration(Math.max(0, Math.ceil(ms / 1000)) * 1000).replace(/^0ms$/, '0s')
