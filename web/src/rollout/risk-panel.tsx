import type { RolloutView } from '../../../src/core/rollout/view/view.ts'
import type { StateMark } from '../format/state.ts'
import { Panel } from '../parts/panel.tsx'
import { Pill } from '../parts/pill.tsx'

type Risk = NonNullable<RolloutView['risk']>

/** What was said in the plan: how much can go wrong, by what that was judged, and what strategy would fit. */
export function RiskPanel({ rollout: { risk, recommendation } }: { rollout: RolloutView }) {
  if (risk === undefined) return null
  return (
    <Panel title="Risk" aside={<Pill mark={MARK[risk.level]} />}>
      <p>{risk.sentence}</p>
      <p className="dim">Expected way back: {risk.rollback.text}.</p>
      <Advice recommendation={recommendation} />
      <details className="opening">
        <summary>What it is judged by</summary>
        <ul className="risk-factors">
          {risk.factors.map((factor) => (
            <li key={factor.name}>
              <Pill mark={MARK[factor.level]} /> <span className="risk-name">{factor.name}</span>
              <ul>
                {factor.evidence.map((text) => (
                  <li key={text} className="dim">
                    {text}
                  </li>
                ))}
              </ul>
            </li>
          ))}
        </ul>
      </details>
    </Panel>
  )
}

function Advice({ recommendation }: { recommendation: RolloutView['recommendation'] | undefined }) {
  if (recommendation === undefined) return null
  const { strategy, used, differs } = recommendation
  return (
    <p className="dim">
      {differs
        ? `The strategy that fits is ${strategy}; the file asks for ${used}, and the file wins.`
        : `The strategy fits: ${strategy}.`}
    </p>
  )
}

const MARK: Record<Risk['level'], StateMark> = {
  low: { label: 'Low', tone: 'good', glyph: 'check' },
  medium: { label: 'Medium', tone: 'quiet', glyph: 'minus' },
  high: { label: 'High', tone: 'warn', glyph: 'alert' },
  critical: { label: 'Critical', tone: 'bad', glyph: 'alert' },
}
