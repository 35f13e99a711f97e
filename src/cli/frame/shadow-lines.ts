import type { ShadowView } from '../../core/rollout/shadow/shadow-result-view.ts'
import type { Line } from '../text/line.ts'
import { labelledText } from './label.ts'

/** What copies of requests showed so far. */
export function shadowLines(shadow: ShadowView | undefined, { columns }: { columns: number }): Line[] {
  if (shadow === undefined) return []
  const { sentence, isOn, pairs } = shadow
  const text = isOn || pairs === 0 ? sentence : `${sentence} (over)`
  return labelledText('shadow', text, { columns, look: 'plain' })
}
