import { problem } from '../../core/shared/problem.ts'
import { BACKUP_FORMAT } from './format.ts'

const OTHER = 'Nothing was restored. Use another backup: `ls .sluice/backups` shows those that Sluice keeps.'

export const notFound = (file: string, cause: string) =>
  problem('BACKUP_NOT_FOUND', {
    message: `The backup ${file} cannot be read: ${cause}.`,
    cause,
    remedy: 'Check the path and its rights. `ls .sluice/backups` shows the backups that Sluice keeps.',
  })

export const notOne = (file: string) =>
  problem('BACKUP_NOT_ONE', {
    message: `${file} is not a backup of Sluice: its first line does not say so, or is damaged.`,
    remedy: OTHER,
  })

export const newer = (file: string, { format, sluice }: { format: number; sluice: string }) =>
  problem('BACKUP_NEWER_FORMAT', {
    message: `The backup ${file} has format ${format} and was written by Sluice ${sluice}. This version reads formats up to ${BACKUP_FORMAT}.`,
    remedy: `Restore it with Sluice ${sluice} or later. Nothing was changed.`,
  })

export const truncated = (file: string, { line, bytes }: { line: number; bytes: number }) =>
  problem('BACKUP_TRUNCATED', {
    message: `The backup ${file} was cut off: it ends after line ${line} (byte ${bytes}) without its last line.`,
    remedy: OTHER,
  })

export type Place = { line: number; byte: number; complaint: string }

export const damaged = (file: string, { line, byte, complaint }: Place) =>
  problem('BACKUP_DAMAGED', {
    message: `The backup ${file} is damaged at line ${line} (byte ${byte}): ${complaint}.`,
    cause: complaint,
    remedy: OTHER,
  })

export const alreadyThere = (file: string) =>
  problem('BACKUP_EXISTS', {
    message: `${file} is there already. A backup replaces no file.`,
    remedy: 'Choose another name, or leave it out: then the name holds the time.',
  })

export const notWritten = (file: string, cause: string) =>
  problem('BACKUP_NOT_WRITTEN', {
    message: `The backup ${file} could not be written: ${cause}. Nothing of it was left behind.`,
    cause,
    remedy: 'Check space and rights of the folder, then try again.',
    retryable: true,
  })

export const sourceDamaged = (from: string, cause: string) =>
  problem('BACKUP_SOURCE_DAMAGED', {
    message: `The state in ${from} does not fit together: ${cause}. No backup was written.`,
    cause,
    remedy: 'Keep the older backups. Run `sluice doctor`, and restore the newest backup that is sound.',
  })
