import type { ReactNode } from 'react'
import type { RolloutView } from '../../../src/core/rollout/view/view.ts'
import { formatWeight } from '../format/amount.ts'
import { formatCountdown } from '../format/duration.ts'
import { asSentence, says, splitSentence } from '../format/sentence.ts'
import type { StateMark } from '../format/state.ts'
import { useNow } from '../parts/now.ts'
import { Pill } from '../parts/pill.tsx'
import { Moment } from '../parts/zone.tsx'

type HeadlineProps = { mark: StateMark; sentence: string; rollout: RolloutView | null; children?: ReactNode }

/** The answer to "what is going on, why, and what can I do". */
export function Headline({ mark, sentence, rollout, children }: HeadlineProps) {
  const { first, rest } = splitSentence(sentence)
  return (
    <section className="headline" aria-label="State">
      <div className="headline-text">
        <Pill mark={mark} />
        <h1>{first}</h1>
        {rest === '' ? null : <p className="verdict">{rest}</p>}
        {rollout === null ? null : <Why rollout={rollout} />}
        <p className="visually-hidden" aria-live="polite">
          {announcement(mark, rollout)}
        </p>
      </div>
      {children}
    </section>
  )
}

/** Read aloud when it changes; unlike the sentence it holds no seconds, so it speaks only when something happened. */
function announcement(mark: StateMark, rollout: RolloutView | null): string {
  if (rollout === null) return mark.label
  const step = rollout.steps[rollout.step.index]
  const where =
    rollout.state === 'ended' || step === undefined ? '' : ` Step ${step.index + 1}, ${step.label}.`
  return `${mark.label}.${where} ${formatWeight(rollout.weight.desiredPermille)} of the ${rollout.sharedBy}. ${asSentence(rollout.reason.message)}`
}

function Why({ rollout: { reason, waitingOn, sentence, state } }: { rollout: RolloutView }) {
  return (
    <div className="why">
      <p>
        {says(sentence, reason.message) ? null : `${asSentence(reason.message)} `}
        <code className="code">{reason.code}</code>
      </p>
      {waitingOn === null || state === 'ended' ? null : (
        <p className="waiting">
          {says(sentence, waitingOn.message) ? null : <span>Waiting: {asSentence(waitingOn.message)}</span>}
          {waitingOn.until === null ? null : <Countdown until={waitingOn.until} />}
        </p>
      )}
    </div>
  )
}

function Countdown({ until }: { until: number }) {
  const leftMs = until - useNow()
  return (
    <span className="countdown numbers">
      {leftMs > 0 ? `${formatCountdown(leftMs)} left` : 'Due now'}, until <Moment at={until} />
    </span>
  )
}
