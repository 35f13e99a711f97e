import * as z from 'zod'
import { EXIT_CODE } from '../../core/rollout/outcome.ts'
import { type LogLines, LogsAnswer } from '../answers.ts'
import type { Client } from '../client.ts'
import { defineCommand, wholeNumber } from '../command.ts'
import { connect } from '../controller/connect.ts'
import { newLines } from '../new-lines.ts'
import { addressOf, type Session } from '../session.ts'
import { type Line, quiet, span } from '../text/line.ts'

/** New lines are asked for this often. */
const FOLLOW_EVERY_MS = 1000
/** Asked for while following: more than an instance writes between two questions, or lines are missed. */
const FOLLOW_LINES = 500

export const command = defineCommand({
  description:
    'The last lines that the instances wrote, secrets redacted; or, with --access, those of the access log, one line of JSON for each request.',
  arguments: [],
  options: [
    { flags: '-n, --lines <count>', summary: 'how many lines (default 100)' },
    { flags: '--access', summary: 'the access log of the built-in proxy (`accessLog` in the file)' },
    { flags: '--release <release>', summary: 'only this version or release' },
    { flags: '-f, --follow', summary: 'go on with new lines until Ctrl-C' },
  ],
  examples: ['sluice logs -n 50', 'sluice logs -f --release 1.4.0', 'sluice logs --access -f'],
  input: z.object({
    lines: wholeNumber(1, 5000).default(100),
    release: z.string().exactOptional(),
    follow: z.boolean().default(false),
    access: z.boolean().default(false),
  }),
  async run(session, { lines, release, follow, access }) {
    const connection = connect(session)
    if (connection.kind === 'failed') return session.fail(connection.problem)
    const input = {
      ...addressOf(session),
      ...(access ? { access } : {}),
      ...(release === undefined ? {} : { release }),
    }
    const { client } = connection.value
    const first = await client.call('get_logs', { ...input, lines }, LogsAnswer)
    if (first.kind === 'failed') return session.fail(first.problem)
    tell(session, first.value.lines)
    if (follow) return followLogs(session, { client, input, told: first.value.lines })
    if (first.value.lines.length === 0) session.note(access ? NO_ACCESS : 'No output yet.')
    return EXIT_CODE.promoted
  },
})

const NO_ACCESS =
  'No line yet. The access log is written by the built-in proxy, where the file says "accessLog: on", from the next deploy.'

type Following = { client: Client; input: object; told: LogLines }

async function followLogs(session: Session, { client, input, told }: Following): Promise<number> {
  const leaving = new AbortController()
  const forget = session.io.onInterrupt(() => leaving.abort())
  let last = told
  let away = false
  while (!leaving.signal.aborted) {
    await session.io.sleep(FOLLOW_EVERY_MS, leaving.signal)
    if (leaving.signal.aborted) break
    const answer = await client.call('get_logs', { ...input, lines: FOLLOW_LINES }, LogsAnswer)
    if (answer.kind === 'failed') {
      if (!answer.problem.retryable) return session.fail(answer.problem)
      if (!away) session.note('The controller is away, trying again ...')
      away = true
      continue
    }
    away = false
    tell(session, newLines(last, answer.value.lines))
    last = answer.value.lines
  }
  forget()
  return EXIT_CODE.promoted
}

function tell(session: Session, lines: LogLines): void {
  for (const { instance, release, line } of lines) session.value('log', { instance, release, line })
  session.say(
    lines.map(
      ({ instance, release, line }): Line =>
        // A line of JSON for each request: as it is, for other programs to read.
        release === '' ? [span(line)] : [quiet(`${instance}  `), span(line)],
    ),
  )
}
