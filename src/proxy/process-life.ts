import { destination, type Logger } from 'pino'
import { createProcessLog } from '../telemetry/process-log.ts'

/** What is not written yet; more than this is lost rather than kept in memory. */
const LOG_BYTES = 1 << 20

export const openLog = (): Logger =>
  createProcessLog('proxy', destination({ dest: 2, sync: false, maxLength: LOG_BYTES }))

/** A bug met by one request must not end the connections of all others: it is logged and shown in `/livez`. */
export function surviveBugs(log: Logger, onBug: (total: number) => void = () => undefined): () => number {
  let bugs = 0
  const note = (error: unknown) => {
    bugs += 1
    log.error({ err: error }, 'bug')
    onBug(bugs)
  }
  process.on('uncaughtException', note)
  process.on('unhandledRejection', note)
  return () => bugs
}

export function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    process.once('SIGTERM', resolve)
    process.once('SIGINT', resolve)
  })
}

/** The last lines are written. */
export const ended = (log: Logger): Promise<void> => new Promise((resolve) => log.flush(() => resolve()))
