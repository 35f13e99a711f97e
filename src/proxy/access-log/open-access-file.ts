import type { Logger } from 'pino'
import { accessLogFile } from '../../core/shared/access-log-file.ts'
import { AccessFile } from './access-file.ts'

/** A file for each service, so that one that is busy does not push out the lines of the others. */
export const openAccessFile = (
  service: string,
  { folder, log }: { folder: string; log: Logger },
): AccessFile =>
  new AccessFile({
    path: accessLogFile(folder, service),
    onTrouble: (error) =>
      log.error({ service, err: error }, 'access log cannot be written, lines are dropped and counted'),
  })
