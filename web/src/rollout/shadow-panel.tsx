import type { ShadowView } from '../../../src/core/rollout/shadow/shadow-result-view.ts'
import { formatCount, formatWeight, UNKNOWN } from '../format/amount.ts'
import { asSentence } from '../format/sentence.ts'
import { ArmsTable } from '../parts/arms-table.tsx'
import { Panel } from '../parts/panel.tsx'

const COLUMNS = ['', 'Requests', 'Errors', 'p95']

/** What copies of requests showed: users never got an answer of the candidate's row. */
export function ShadowPanel({ shadow }: { shadow: ShadowView | undefined }) {
  if (shadow === undefined) return null
  const { isOn, sharePermille, pairs, errors, p95Ms } = shadow
  const aside = isOn ? `copies ${formatWeight(sharePermille)}` : pairs === 0 ? 'not begun' : 'over'
  return (
    <Panel title="Shadow" aside={aside}>
      <p>{asSentence(shadow.sentence)}</p>
      <ArmsTable label="Copied requests" columns={COLUMNS}>
        <Side name="Users got" pairs={pairs} errors={errors.stable} p95Ms={p95Ms.stable} />
        <Side name="The shadow said" pairs={pairs} errors={errors.candidate} p95Ms={p95Ms.candidate} />
      </ArmsTable>
    </Panel>
  )
}

type SideProps = { name: string; pairs: number; errors: number; p95Ms: number | null }

const Side = ({ name, pairs, errors, p95Ms }: SideProps) => (
  <tr>
    <th scope="row">{name}</th>
    <td>{formatCount(pairs)}</td>
    <td>{formatCount(errors)}</td>
    <td>{p95Ms === null ? UNKNOWN : `${Math.round(p95Ms)} ms`}</td>
  </tr>
)
