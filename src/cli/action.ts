import { EXIT_CODE } from '../core/rollout/outcome.ts'
import { ServiceView } from '../core/rollout/view/view.ts'
import { ViewAnswer } from './answers.ts'
import { type Connection, connectStarting } from './controller/connect.ts'
import { headlineLines } from './frame/headline.ts'
import { addressOf, commandLine, type Session } from './session.ts'
import { span } from './text/time.ts'

/** An end longer ago than this has been seen. */
const JUST_ENDED_MS = 60_000

/** Asks the controller for one action on the service and says what state that led to. */
export async function runAction(
  session: Session,
  operation: string,
  input: object,
  idempotencyKey?: string,
): Promise<number> {
  const connection = await connectStarting(session)
  if (connection.kind === 'failed') return session.fail(connection.problem)
  const answer = await connection.value.client.call(
    operation,
    { ...addressOf(session), ...input },
    ViewAnswer,
    idempotencyKey,
  )
  if (answer.kind === 'failed') {
    if (answer.problem.code === 'NOTHING_IN_PROGRESS') await tellJustEnded(session, connection.value)
    return session.fail(answer.problem)
  }
  tellState(session, answer.value.view)
  return EXIT_CODE.promoted
}

/** Whoever acts on a rollout that has ended a moment ago did not see its end yet: says how it ended. */
async function tellJustEnded(session: Session, { client }: Connection): Promise<void> {
  const answer = await client.call('get_service', addressOf(session), ServiceView)
  const words = answer.kind === 'ok' ? justEndedWords(answer.value) : null
  if (words !== null) session.note(words)
}

/** `1.2.0 was rolled back 4s ago: ...`; `null` when the end is no news any more. */
function justEndedWords({ rollout, asOf }: ServiceView): string | null {
  if (rollout === null || rollout.outcome === null || rollout.endedAt === null) return null
  const ago = asOf - rollout.endedAt
  if (ago >= JUST_ENDED_MS) return null
  const ended = rollout.outcome === 'failed' ? 'failed' : `was ${rollout.outcome.replace('_', ' ')}`
  return `${rollout.to.version} ${ended} ${span(ago)} ago: ${rollout.reason.message}`
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
