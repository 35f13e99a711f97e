import { LogsAnswer } from '../answers.ts'
import { LOG_LINES_SHOWN } from '../frame/panel.ts'
import { type LiveContext, note, targetOf } from './live-context.ts'

/** The log panel is read again this often. */
const READ_EVERY_MS = 2000

/** The panel with the candidate's last lines of output, kept fresh while it is open. */
export interface LiveLogs {
  toggle(): void
  close(): void
}

export function createLiveLogs(context: LiveContext): LiveLogs {
  let timer: NodeJS.Timeout | null = null
  const close = (): void => {
    if (timer !== null) clearInterval(timer)
    timer = null
  }
  const read = async (): Promise<void> => {
    const release = context.view()?.rollout?.to.release
    const input = {
      ...targetOf(context),
      lines: LOG_LINES_SHOWN,
      ...(release === undefined ? {} : { release }),
    }
    const answer = await context.connection.client.call('get_logs', input, LogsAnswer)
    if (timer === null) return
    if (answer.kind === 'failed') {
      close()
      note(context, answer.problem.message, 'bad')
      return
    }
    const lines = answer.value.lines.map(({ instance, line }) => `${instance}  ${line}`)
    context.show({ kind: 'logs', lines })
  }
  return {
    close,
    toggle() {
      if (timer !== null) {
        close()
        context.show({ kind: 'legend' })
        return
      }
      context.show({ kind: 'logs', lines: [] })
      timer = setInterval(() => void read(), READ_EVERY_MS)
      void read()
    },
  }
}
