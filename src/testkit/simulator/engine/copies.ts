import type { MirrorRoute } from '../../../core/shared/mirror.ts'
import type { ShadowCounts, TrafficCounts } from '../../../core/shared/traffic-counts.ts'
import { shadowOf } from '../../traffic.ts'
import type { Entry } from './router.ts'

/** The copying that truly goes on, and who answers the users meanwhile; `null` where nothing is copied. */
export function copyingIn(
  { routes, reverted, sets }: Pick<Entry, 'routes' | 'reverted' | 'sets'>,
  up: ReadonlySet<string>,
): { mirror: MirrorRoute; user: string } | null {
  const mirror = routes?.mirror ?? null
  if (mirror === null || reverted !== null) return null
  const answers = (release: string): boolean =>
    sets.some((set) => set.release === release && set.instances.some(({ id }) => up.has(id)))
  const user = sets.find(({ weightPermille }) => weightPermille > 0)?.release
  if (user === undefined || user === mirror.release || !answers(user) || !answers(mirror.release)) return null
  return { mirror, user }
}

/** So many pairs more, all of the same quality on each side. */
export function withCopies(
  before: ShadowCounts | null,
  { salt, release }: MirrorRoute,
  { pairs, candidate, user }: { pairs: number; candidate: Answers; user: Answers },
): ShadowCounts {
  const known = before?.salt === salt ? before : shadowOf(salt, release)
  return {
    ...known,
    candidate: grown(known.candidate, pairs, candidate),
    stable: grown(known.stable, pairs, user),
    answered: known.answered + pairs - Math.min(pairs, candidate.errors + user.errors),
  }
}

/** Latency bucket of all of them, and how many failed. */
export type Answers = { bucket: number; errors: number }

const grown = (before: TrafficCounts, requests: number, { errors, bucket }: Answers): TrafficCounts => ({
  ...before,
  requests: before.requests + requests,
  errors: before.errors + errors,
  latencyBuckets: before.latencyBuckets.map((count, index) => count + (index === bucket ? requests : 0)),
})
