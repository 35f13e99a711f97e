import { useState } from 'react'
import type { ActionView, ServiceView } from '../../../src/core/rollout/view/view.ts'
import { asSentence } from '../format/sentence.ts'
import { ACTIONS, type ActionName, mostUseful, orderedActions } from './action.ts'
import { ConfirmDialog } from './confirm-dialog.tsx'

/** The buttons; those that cannot be used stay reachable and say why in words. */
export function ActionBar({ view }: { view: ServiceView }) {
  const [asking, setAsking] = useState<ActionName | null>(null)
  const actions = orderedActions(view)
  if (actions.length === 0) return null
  const allowed = actions.filter((action) => action.allowed)
  const refused = actions.filter((action) => !action.allowed)
  const useful = mostUseful(view.rollout)
  return (
    <div className="action-bar">
      <div className="buttons">
        {allowed.map(({ name }) => (
          <button
            key={name}
            type="button"
            className={buttonClass(name, useful)}
            onClick={() => setAsking(name)}
          >
            {ACTIONS[name].label}
          </button>
        ))}
        {refused.map(({ name, whyNot }) => (
          <button
            key={name}
            type="button"
            className="button"
            aria-disabled="true"
            aria-describedby={whyNotId(refused.find((one) => one.whyNot === whyNot))}
          >
            {ACTIONS[name].label}
          </button>
        ))}
      </div>
      <WhyNot refused={refused} />
      {asking === null ? null : (
        <ConfirmDialog key={asking} name={asking} view={view} close={() => setAsking(null)} />
      )}
    </div>
  )
}

function buttonClass(name: ActionName, useful: ActionName | null): string {
  if (ACTIONS[name].danger) return 'button is-danger'
  return name === useful ? 'button is-primary' : 'button'
}

type Refused = ActionView & { name: ActionName }

/** One line for each reason, since several buttons often share one. */
function WhyNot({ refused }: { refused: Refused[] }) {
  const groups = Map.groupBy(refused, ({ whyNot }) => whyNot ?? 'not possible in this state')
  if (groups.size === 0) return null
  return (
    <dl className="why-not">
      {[...groups].map(([reason, actions]) => (
        <div key={reason} id={whyNotId(actions[0])}>
          <dt>{actions.map(({ name }) => ACTIONS[name].label).join(', ')}:</dt>
          <dd>{asSentence(reason)}</dd>
        </div>
      ))}
    </dl>
  )
}

const whyNotId = (first: Refused | undefined): string => `why-not-${first?.name}`
