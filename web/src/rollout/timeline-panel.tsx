import { useState } from 'react'
import type { TimelineEntry } from '../../../src/core/rollout/view/view.ts'
import { capital } from '../format/sentence.ts'
import type { Glyph } from '../format/state.ts'
import { Icon } from '../parts/icon.tsx'
import { Panel } from '../parts/panel.tsx'
import { Moment } from '../parts/zone.tsx'

const GLYPH: Record<TimelineEntry['level'], { glyph: Glyph; word: string }> = {
  info: { glyph: 'dot', word: '' },
  good: { glyph: 'check', word: 'Good: ' },
  warning: { glyph: 'alert', word: 'Warning: ' },
  bad: { glyph: 'cross', word: 'Bad: ' },
}

/** Newest first; each entry has an address of its own. */
export function TimelinePanel({ entries }: { entries: TimelineEntry[] }) {
  const [troubleOnly, setTroubleOnly] = useState(false)
  const shown = entries
    .filter((entry) => !troubleOnly || entry.level === 'warning' || entry.level === 'bad')
    .toReversed()
  const filter = (
    <button
      type="button"
      className="button-quiet"
      aria-pressed={troubleOnly}
      onClick={() => setTroubleOnly(!troubleOnly)}
    >
      Trouble only
    </button>
  )
  return (
    <Panel title="Timeline" aside={filter}>
      {shown.length === 0 ? (
        <p className="dim">{troubleOnly ? 'No trouble.' : 'Nothing has happened yet.'}</p>
      ) : null}
      <ol className="timeline">
        {shown.map((entry) => (
          <Entry key={entry.sequence} entry={entry} />
        ))}
      </ol>
    </Panel>
  )
}

function Entry({ entry }: { entry: TimelineEntry }) {
  const { glyph, word } = GLYPH[entry.level]
  return (
    <li id={`event-${entry.sequence}`} className={`entry is-${entry.level}`}>
      <span className="entry-mark">
        <Icon glyph={glyph} size={12} />
      </span>
      <p>
        <span className="visually-hidden">{word}</span>
        {capital(entry.text)}
      </p>
      <p className="entry-foot dim">
        <a href={`#event-${entry.sequence}`}>
          <Moment at={entry.at} />
        </a>{' '}
        · {entry.actor}
      </p>
    </li>
  )
}
