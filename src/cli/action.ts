import { EXIT_CODE } from '../core/rollout/outcome.ts'
import type { ServiceView } from '../core/rollout/view.ts'
import { ViewAnswer } from './answers.ts'
import { connectStarting } from './controller/connect.ts'
import { headlineLines } from './frame/headline.ts'
import { addressOf, commandLine, type Session } from './session.ts'

/** Asks the controller for one action on the service and says what state that led to. */
export async function runAction(session: Session, operation: string, input: object): Promise<number> {
  const connection = await connectStarting(session)
  if (connection.kind === 'failed') return session.fail(connection.problem)
  const answer = await connection.value.client.call(
    operation,
    { ...addressOf(session), ...input },
    ViewAnswer,
  )
  if (answer.kind === 'failed') return session.fail(answer.problem)
  tellState(session, answer.value.view)
  return EXIT_CODE.promoted
}

/** One sentence on the service now, and how to follow what goes on. */
export function tellState(session: Session, view: ServiceView): void {
  session.value('view', { view })
  session.say(headlineLines(view, { columns: Number.POSITIVE_INFINITY, away: null }))
  if (view.rollout?.outcome === null) session.note(`Follow it with \`${commandLine('watch', session)}\`.`)
}

/** A reason goes into the journal only when there is one. */
export const reasonInput = (reason: string | undefined): { reason?: string } =>
  reason === undefined ? {} : { reason }
