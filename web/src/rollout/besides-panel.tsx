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

/** Where requests go besides the shares of traffic, and what each router shows where there are several. */
export function BesidesPanel({ besides = [] }: { besides: SideView[] | undefined }) {
  return (
    <>
      <Sides title="Routers" sides={besides.filter(({ kind }) => kind === 'router')} />
      <Sides title="Besides the traffic" sides={besides.filter(({ kind }) => kind !== 'router')} />
    </>
  )
}

function Sides({ title, sides }: { title: string; sides: SideView[] }) {
  if (sides.length === 0) return null
  return (
    <Panel title={title}>
      <dl className="besides">
        {sides.map((one) => (
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
