import type { StateMark } from '../format/state.ts'
import { Icon } from './icon.tsx'

export function Pill({ mark }: { mark: StateMark }) {
  return (
    <span className={`pill tone-${mark.tone}`}>
      <Icon glyph={mark.glyph} size={12} />
      {mark.label}
    </span>
  )
}
