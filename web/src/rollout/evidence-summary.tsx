import type { RolloutEvidence } from '../../../src/core/rollout/replay/rollout-evidence.ts'

const STATUS = { met: 'Met', missed: 'Missed', 'not-known': 'Not known', none: '–' } as const

/** What was before beside what is now, and what the checks do not say. */
export function EvidenceSummary({ evidence }: { evidence: RolloutEvidence | null | undefined }) {
  if (evidence === undefined) return <div className="skeleton is-block" />
  if (evidence === null) return <p className="dim">Nothing was counted yet.</p>
  const { baseline, unseen, stable } = evidence
  const isRecorded = baseline.before === 'recorded'
  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard. */}
      <section className="table-scroll" aria-label="Figures before and now" tabIndex={0}>
        <table className="baseline">
          <caption className="visually-hidden">
            {stable ?? 'Stable'} {isRecorded ? 'before and ' : ''}beside {evidence.candidate}
          </caption>
          <thead>
            <tr>
              <th scope="col">Metric</th>
              {isRecorded && <th scope="col">Before</th>}
              <th scope="col">Stable</th>
              <th scope="col">Candidate</th>
              <th scope="col">Change</th>
              <th scope="col">Target</th>
            </tr>
          </thead>
          <tbody>
            {baseline.rows.map((row) => (
              <tr key={row.metric}>
                <th scope="row">{row.metric}</th>
                {isRecorded && <td>{row.before}</td>}
                <td>{row.stable}</td>
                <td>{row.now}</td>
                <td>{row.change}</td>
                <td>
                  {STATUS[row.status]} <span className="dim">{row.target}</span>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      <ul className="unseen">
        {[...baseline.notes, ...unseen].map((sentence) => (
          <li key={sentence} className="dim">
            {sentence}
          </li>
        ))}
      </ul>
    </>
  )
}
