import type { ShadowView } from '../../../src/core/rollout/shadow/shadow-result-view.ts'
import { formatCount, formatWeight, UNKNOWN } from '../format/amount.ts'
import { Panel } from '../parts/panel.tsx'

const COLUMNS = ['', 'Requests', 'Errors', 'p95']

/** What copies of requests showed: users never got an answer of the candidate's row. */
export function ShadowPanel({ shadow }: { shadow: ShadowView | undefined }) {
  if (shadow === undefined) return null
  const { isOn, sharePermille, pairs, errors, p95Ms } = shadow
  const aside = isOn ? `copies ${formatWeight(sharePermille)}` : pairs === 0 ? 'not begun' : 'over'
  return (
    <Panel title="Shadow" aside={aside}>
      <p>{capital(shadow.sentence)}.</p>
      <table className="arms" aria-label="Copied requests">
        <thead>
          <tr>
            {COLUMNS.map((name) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          <Side name="Users got" pairs={pairs} errors={errors.stable} p95Ms={p95Ms.stable} />
          <Side name="The shadow said" pairs={pairs} errors={errors.candidate} p95Ms={p95Ms.candidate} />
        </tbody>
      </table>
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

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)
