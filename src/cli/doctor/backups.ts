import { existsSync } from 'node:fs'
import path from 'node:path'
import type { Finding } from '../../core/shared/finding.ts'
import { OLD_AFTER_MS } from '../../operations/backup/daily.ts'
import { newestBackup, shelfOf } from '../../operations/backup/shelf.ts'
import { dateTime } from '../text/time.ts'
import { fine, warning } from './finding.ts'

const REMEDY =
  'Run `sluice backup`. A running controller writes one a day; look for "backup" in .sluice/controller.log if it did not.'

/** Only for a state in the folder: a server has backups of its own. */
export function checkBackups(stateFolder: string, now: number): Finding[] {
  if (!existsSync(path.join(stateFolder, 'state.db')) || existsSync(path.join(stateFolder, 'shared-store')))
    return []
  const newest = newestBackup(stateFolder)
  if (newest === null)
    return [warning('DOCTOR_BACKUP', `There is no backup in ${shelfOf(stateFolder)}.`, REMEDY)]
  const text = `The newest backup in ${shelfOf(stateFolder)} is from ${dateTime(newest.at)} UTC.`
  return [
    now - newest.at > OLD_AFTER_MS ? warning('DOCTOR_BACKUP', text, REMEDY) : fine('DOCTOR_BACKUP', text),
  ]
}
