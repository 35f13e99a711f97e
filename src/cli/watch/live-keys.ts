import { pageAddress } from '../controller/page-address.ts'
import type { Panel } from '../frame/options.ts'
import { type KeyMeaning, meaningOf, typeKey } from './keys.ts'
import { performAction } from './live-actions.ts'
import { type LiveContext, note } from './live-context.ts'
import { createLiveLogs } from './live-logs.ts'

/** What keys do in the live view: they ask the controller, they never act themselves. */
export interface LiveKeys {
  press(key: string): void
  close(): void
}

type Question = { panel: Panel & { kind: 'question' }; answer: (text: string) => void }

export function createLiveKeys(context: LiveContext): LiveKeys {
  const logs = createLiveLogs(context)
  let question: Question | null = null
  const ask = (text: string, answer: (text: string) => void): void => {
    question = { panel: { kind: 'question', text, typed: '' }, answer }
    context.show(question.panel)
  }
  const perform = ({ kind }: KeyMeaning): void => {
    if (kind !== 'logs') logs.close()
    switch (kind) {
      case 'leave':
        context.leave()
        break
      case 'help':
      case 'explain':
        context.show(context.panel().kind === kind ? { kind: 'legend' } : { kind })
        break
      case 'logs':
        logs.toggle()
        break
      case 'page':
        note(
          context,
          pageAddress(context.connection.client.stateFolder) ??
            'The controller has not said where its page is.',
        )
        break
      case 'pause-or-resume':
      case 'promote':
      case 'promote-full':
      case 'abort':
        performAction(context, kind, ask)
    }
  }
  return {
    press(key) {
      if (question !== null) {
        const asked = question
        question = null
        question = typeInto(context, asked, key) ?? question
        return
      }
      const meaning = meaningOf(key)
      if (meaning !== null) perform(meaning)
    },
    close: () => logs.close(),
  }
}

/** The question with what was typed so far; `null` when it is answered or taken back. */
function typeInto(context: LiveContext, question: Question, key: string): Question | null {
  const typing = typeKey(question.panel.typed, key)
  if (typing.kind === 'typed') {
    const next = { ...question, panel: { ...question.panel, typed: typing.text } }
    context.show(next.panel)
    return next
  }
  context.show({ kind: 'legend' })
  if (typing.kind === 'entered') question.answer(typing.text)
  return null
}
