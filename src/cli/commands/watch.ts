import * as z from 'zod'
import { EXIT_CODE } from '../../core/rollout/outcome.ts'
import { ServiceView } from '../../core/rollout/view/view.ts'
import { tellState } from '../action.ts'
import { DurationArgument, defineCommand } from '../command.ts'
import { connect } from '../controller/connect.ts'
import { lightWatchLines } from '../frame/facts.ts'
import { labelledText } from '../frame/label.ts'
import { addressOf, columnsOf, type Session } from '../session.ts'
import { tellOutcome, watchRollout } from '../watch/watch.ts'

export const command = defineCommand({
  description:
    'Live in a terminal, one line per change otherwise (SLUICE_PLAIN=1 asks for lines). Ends with the outcome as exit code; when the last rollout has ended already, says how.',
  arguments: [],
  options: [{ flags: '--timeout <time>', summary: 'stop following after this (exit code 12)' }],
  examples: ['sluice watch', 'sluice watch --json --timeout 30m'],
  input: z.object({ timeout: DurationArgument.exactOptional() }),
  async run(session, { timeout }) {
    const connection = connect(session)
    if (connection.kind === 'failed') return session.fail(connection.problem)
    const view = await connection.value.client.call('get_service', addressOf(session), ServiceView)
    if (view.kind === 'failed') return session.fail(view.problem)
    const { rollout, stream } = view.value
    if (rollout === null) {
      tellState(session, view.value)
      return EXIT_CODE.promoted
    }
    if (rollout.outcome !== null) {
      const code = tellOutcome(session, rollout)
      tellLightWatch(session, view.value)
      return code
    }
    return watchRollout(session, connection.value, {
      stream,
      watched: { kind: 'rollout', id: rollout.id },
      timeoutMs: timeout ?? null,
    })
  },
})

/** The rollout is over, and the release is still looked at: how that stands, and what was found. */
function tellLightWatch(session: Session, view: ServiceView): void {
  if (view.lightWatch === null) return
  const columns = columnsOf(session)
  session.say([
    ...lightWatchLines(view, { columns }),
    ...view.warnings.flatMap((warning) => labelledText('warning', warning, { columns, look: 'bad' })),
  ])
}
