import type { ActionView, ServiceView } from '../../core/rollout/view/view.ts'
import { ViewAnswer } from '../answers.ts'
import { isAllowed } from '../frame/panel.ts'
import { type LiveContext, note, targetOf } from './live-context.ts'

/** Keys that ask the controller for something. */
export type ActionKey = 'pause-or-resume' | 'promote' | 'promote-full' | 'abort'

/** What is asked of the controller in the end. */
type OrderedAction = 'pause' | 'resume' | 'promote' | 'promote-full' | 'abort'

/** Puts a question to the person and hands over what was typed. */
export type Ask = (text: string, answer: (text: string) => void) => void

/** Asks first where it is needed, then asks the controller. What is not possible now says why. */
export function performAction(context: LiveContext, key: ActionKey, ask: Ask): void {
  const view = context.view()
  if (view === null) return
  const action: OrderedAction =
    key === 'pause-or-resume' ? (isAllowed(view, 'resume') ? 'resume' : 'pause') : key
  if (!isAllowed(view, action)) {
    note(context, whyNot(view, action), 'bad')
    return
  }
  const candidate = view.rollout?.to.version ?? 'the candidate'
  switch (action) {
    case 'pause':
      order(context, { operation: 'pause', input: {}, title: 'Pause' })
      break
    case 'resume':
      order(context, { operation: 'resume', input: {}, title: 'Resume' })
      break
    case 'promote':
      order(context, { operation: 'promote', input: {}, title: 'Next step' })
      break
    case 'promote-full':
      ask(`Send all traffic to ${candidate} now? Reason (Enter sends, Esc cancels):`, (reason) => {
        if (reason === '') note(context, 'Nothing was done: a reason is needed.')
        else order(context, { operation: 'promote', input: { full: true, reason }, title: 'Promote all' })
      })
      break
    case 'abort':
      ask(
        `Abort ${candidate}, all traffic back to ${view.stable?.version ?? 'stable'}? Type y and Enter:`,
        (answer) => {
          if (/^y(es)?$/i.test(answer)) order(context, { operation: 'abort', input: {}, title: 'Abort' })
          else note(context, 'Nothing was done.')
        },
      )
  }
}

type Order = { operation: string; input: object; title: string }

function order(context: LiveContext, { operation, input, title }: Order): void {
  note(context, `${title} ...`)
  const answered = context.connection.client.call(operation, { ...targetOf(context), ...input }, ViewAnswer)
  void answered.then((answer) => {
    if (answer.kind === 'ok') note(context, `${title}: done.`, 'good')
    else note(context, `${answer.problem.message} ${answer.problem.remedy}`, 'bad')
  })
}

function whyNot(view: ServiceView, name: ActionView['name']): string {
  const action = [...(view.rollout?.actions ?? []), ...view.actions].find((one) => one.name === name)
  return `Not now: ${action?.whyNot ?? 'nothing is in progress'}.`
}
