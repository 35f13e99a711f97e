import { EXIT_CODE } from '../../core/rollout/outcome.ts'
import type { RolloutView, ServiceView } from '../../core/rollout/view/view.ts'
import { problem } from '../../core/shared/problem.ts'
import { RolloutAnswer } from '../answers.ts'
import type { Connection } from '../controller/connect.ts'
import { exitCodeOfOutcome } from '../exit-code.ts'
import { columnsOf, commandLine, type Session } from '../session.ts'
import { span as duration } from '../text/time.ts'
import { follow } from './follow.ts'
import { createJsonPresenter } from './json.ts'
import { createLivePresenter } from './live.ts'
import { createPlainPresenter } from './plain.ts'
import type { Presenter } from './presenter.ts'
import { summaryLines } from './summary.ts'

/** Which rollout: one by its id, or the one a queued release will become. */
export type Watched = { kind: 'rollout'; id: string } | { kind: 'queued'; release: string }

export type WatchOptions = { stream: string; watched: Watched; timeoutMs: number | null }

type Stop = 'left' | 'time is up'

/** Shows the rollout until its outcome and gives the exit code for it. Leaving changes nothing: the controller acts, not this. */
export async function watchRollout(
  session: Session,
  connection: Connection,
  { stream, watched, timeoutMs }: WatchOptions,
): Promise<number> {
  const stopping = new AbortController()
  let stopped: Stop | null = null
  const stop = (why: Stop): void => {
    stopped ??= why
    stopping.abort()
  }
  const forgetInterrupt = session.io.onInterrupt(() => stop('left'))
  const timer = timeoutMs === null ? null : setTimeout(() => stop('time is up'), timeoutMs)
  const presenter = presenterFor(session, connection, () => stop('left'))
  try {
    const end = await followToEnd({
      session,
      connection,
      stream,
      watched,
      presenter,
      signal: stopping.signal,
    })
    presenter.end()
    if (end.kind === 'outcome') return tellOutcome(session, end.rollout)
    if (end.kind === 'gone') return session.fail(end.problem)
    return stopped === 'time is up' ? tellTimeout(session, timeoutMs ?? 0, end.view) : tellLeft(session)
  } finally {
    presenter.end()
    forgetInterrupt()
    if (timer !== null) clearTimeout(timer)
  }
}

/** The live view needs a terminal; `SLUICE_PLAIN=1` and dumb terminals get lines, for screen readers too. */
function presenterFor(session: Session, connection: Connection, leave: () => void): Presenter {
  const { terminal, env } = session.io
  if (session.json) return createJsonPresenter(session)
  const plain = terminal === null || env.TERM === 'dumb' || (env.SLUICE_PLAIN ?? '') !== ''
  return plain ? createPlainPresenter(session) : createLivePresenter({ session, connection, terminal, leave })
}

type End =
  | { kind: 'outcome'; rollout: RolloutView }
  | { kind: 'gone'; problem: Parameters<Session['fail']>[0] }
  | { kind: 'stopped'; view: ServiceView | null }

type Following = {
  session: Session
  connection: Connection
  stream: string
  watched: Watched
  presenter: Presenter
  signal: AbortSignal
}

async function followToEnd({
  session,
  connection,
  stream,
  watched,
  presenter,
  signal,
}: Following): Promise<End> {
  let view: ServiceView | null = null
  let away = false
  let target = watched
  for await (const heard of follow(connection.client, { stream, io: session.io, signal })) {
    switch (heard.kind) {
      case 'gone':
        return { kind: 'gone', problem: heard.problem }
      case 'away':
        if (!away) presenter.away('controller is away, traffic flows on its own, trying again ...')
        away = true
        break
      case 'view': {
        if (away) presenter.away(null)
        away = false
        view = heard.view
        presenter.view(view)
        target = foundInQueue(target, view)
        const ended = await endedRollout(connection, target, view)
        if (ended !== null) return { kind: 'outcome', rollout: ended }
      }
    }
  }
  return { kind: 'stopped', view }
}

const foundInQueue = (target: Watched, { rollout }: ServiceView): Watched =>
  target.kind === 'queued' && rollout?.to.release === target.release
    ? { kind: 'rollout', id: rollout.id }
    : target

/** A rollout that is not the current one any more was replaced: its outcome is asked for by id. */
async function endedRollout(
  { client }: Connection,
  target: Watched,
  { rollout }: ServiceView,
): Promise<RolloutView | null> {
  if (target.kind === 'queued') return null
  if (rollout?.id === target.id) return rollout.outcome === null ? null : rollout
  const answer = await client.call('get_rollout', { id: target.id }, RolloutAnswer)
  return answer.kind === 'ok' && answer.value.rollout.outcome !== null ? answer.value.rollout : null
}

/** Closing words and the exit code of an outcome. */
export function tellOutcome(session: Session, rollout: RolloutView): number {
  if (rollout.outcome === null) throw new Error(`rollout ${rollout.id} has no outcome yet`)
  const exitCode = exitCodeOfOutcome(rollout.outcome)
  session.say(summaryLines(rollout, { columns: columnsOf(session) }))
  session.value('outcome', { outcome: rollout.outcome, exitCode, rollout })
  return exitCode
}

function tellLeft(session: Session): number {
  session.note(`You left; the rollout goes on. Come back with \`${commandLine('watch', session)}\`.`)
  return EXIT_CODE.waiting
}

function tellTimeout(session: Session, timeoutMs: number, view: ServiceView | null): number {
  const waiting =
    view?.rollout?.waitingOn?.message ?? view?.rollout?.sentence ?? 'the first answer of the controller'
  return session.fail(
    problem('WATCH_TIMEOUT', {
      message: `No outcome within ${duration(timeoutMs)}.`,
      cause: `it waits for: ${waiting}`,
      remedy: `The rollout goes on. Follow it with \`${commandLine('watch', session)}\`, end it with \`${commandLine('abort', session)}\`.`,
      retryable: true,
    }),
    EXIT_CODE.waiting,
  )
}
