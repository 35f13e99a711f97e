import type { AbView } from '../../core/rollout/ab/ab-result-view.ts'
import type { Line, Look } from '../text/line.ts'
import { labelledText } from './label.ts'

const LOOKS = { control: 'plain', better: 'good', worse: 'bad', open: 'plain' } as const

/** How an A/B test stands: each arm, and the time. */
export function abLines(ab: AbView | undefined, { columns }: { columns: number }): Line[] {
  if (ab === undefined) return []
  const line = (text: string, index: number, look: Look): Line[] =>
    labelledText(index === 0 ? 'a/b' : '', text, { columns, look })
  return [
    ...ab.arms.flatMap(({ sentence, verdict }, index) => line(sentence, index, LOOKS[verdict])),
    ...(ab.among === undefined ? [] : line(`of users whose ${ab.among}`, ab.arms.length, 'plain')),
  ]
}
