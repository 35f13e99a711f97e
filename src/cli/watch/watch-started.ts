import type * as z from 'zod'
import { EXIT_CODE } from '../../core/rollout/outcome.ts'
import type { ServiceView } from '../../core/rollout/view/view.ts'
import { tellState } from '../action.ts'
import type { DeployAnswer } from '../answers.ts'
import type { Connection } from '../controller/connect.ts'
import { commandLine, type Session } from '../session.ts'
import { type Watched, watchRollout } from './watch.ts'

type Started = { started: z.infer<typeof DeployAnswer>; watch: boolean; timeoutMs: number | null }

/** After `deploy` or `rollback` was accepted: follows what began, or says how to. */
export async function watchStarted(
  session: Session,
  connection: Connection,
  { started, watch, timeoutMs }: Started,
): Promise<number> {
  const { rollout, view } = started
  const watched: Watched | null =
    rollout !== null
      ? { kind: 'rollout', id: rollout }
      : view.queued !== null
        ? { kind: 'queued', release: view.queued.release }
        : null
  if (watched === null) {
    tellState(session, view)
    return EXIT_CODE.promoted
  }
  if (watch) return watchRollout(session, connection, { stream: view.stream, watched, timeoutMs })
  session.value('started', { rollout, view })
  session.note(`${begunText(rollout, view)}. Follow it with \`${commandLine('watch', session)}\`.`)
  return EXIT_CODE.promoted
}

function begunText(rollout: string | null, { queued }: ServiceView): string {
  if (queued !== null && (rollout === null || queued.rollout === rollout))
    return `${queued.version} waits: ${queued.waitingOn.message}`
  return rollout === null ? 'It is queued' : `${rollout} began`
}
