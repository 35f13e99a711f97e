import { formatWeight } from '../format/amount.ts'

type WeightBarProps = { desiredPermille: number; observedPermille: number | null; label: string }

/** The candidate's share: filled is what the router does, the tick is what we want. */
export function WeightBar({ desiredPermille, observedPermille, label }: WeightBarProps) {
  const text = `${label}: ${formatWeight(desiredPermille)} wanted, ${
    observedPermille === null ? 'not confirmed yet' : `${formatWeight(observedPermille)} observed`
  }`
  return (
    <div className="weight-bar" role="img" aria-label={text}>
      <div className="weight-bar-fill" style={{ width: `${(observedPermille ?? 0) / 10}%` }} />
      {desiredPermille === observedPermille ? null : (
        <div className="weight-bar-tick" style={{ insetInlineStart: `${desiredPermille / 10}%` }} />
      )}
    </div>
  )
}
