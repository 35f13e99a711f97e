import { useLive } from '../api/live.tsx'
import { formatCountdown } from '../format/duration.ts'
import { useNow } from '../parts/now.ts'

/** Longer silence than this is shown, even while the connection seems open. */
const FRESH_MS = 15_000

export function LiveMarker() {
  const { connected, heardAt } = useLive()
  const silentMs = Math.max(0, useNow() - heardAt)
  const fresh = connected && silentMs < FRESH_MS
  return (
    <span className={`live-marker ${fresh ? 'is-live' : 'is-stale'}`}>
      <span className="live-dot" aria-hidden="true" />
      <span>{fresh ? 'Live' : `Stale for ${formatCountdown(silentMs)}`}</span>
    </span>
  )
}
