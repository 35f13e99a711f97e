import type { SideView } from '../../../src/core/rollout/view/view.ts'
import { asSentence } from '../format/sentence.ts'
import type { StateMark } from '../format/state.ts'
import { Panel } from '../parts/panel.tsx'
import { Pill } from '../parts/pill.tsx'

const NAME: Record<SideView['kind'], string> = {
  preview: 'Preview',
  rule: 'Testers',
  sticky: 'Users stay',
  limits: 'Taken',
  entry: 'Hosts',
  certificate: 'TLS',
  router: 'Router',
}

/** Where requests go besides the shares of traffic. */
export function BesidesPanel({ besides = [] }: { besides: SideView[] | undefined }) {
  if (besides.length === 0) return null
  return (
    <Panel title="Besides the traffic">
      <dl className="besides">
        {besides.map((one) => (
          <div key={one.sentence}>
            <dt>{NAME[one.kind]}</dt>
            <dd>{one.shows === undefined ? asSentence(one.sentence) : <Preview shows={one.shows} />}</dd>
          </div>
        ))}
      </dl>
    </Panel>
  )
}

function Preview({ shows: { address, version } }: { shows: NonNullable<SideView['shows']> }) {
  return (
    <span className="besides-preview">
      <a href={`http://${address}/`} rel="noreferrer" target="_blank" className="mono">
        {address}
      </a>
      {version === null ? <Pill mark={NOTHING} /> : <span>shows {version}</span>}
    </span>
  )
}

const NOTHING: StateMark = { label: 'Nothing to show yet', tone: 'quiet', glyph: 'minus' }
