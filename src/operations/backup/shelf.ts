import { existsSync, readdirSync, rmSync } from 'node:fs'
import path from 'node:path'
import type { Problem } from '../../core/shared/problem.ts'
import { stampOf } from '../../ports/store-place.ts'

/** How many of those that Sluice writes by itself are kept; those of people stay until a person removes them. */
export const KEPT_DAILIES = 7
const NAME = /^(daily|backup)-(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z\.sluice$/

export type ShelvedBackup = { file: string; at: number; isDaily: boolean }

/** `.sluice/backups`. */
export const shelfOf = (stateFolder: string): string => path.join(stateFolder, 'backups')

export const nameOf = (kind: 'daily' | 'backup', at: number): string => `${kind}-${stampOf(at)}.sluice`

/** Newest first; files of other names are nobody's business. */
export function listShelf(stateFolder: string): ShelvedBackup[] {
  const shelf = shelfOf(stateFolder)
  if (!existsSync(shelf)) return []
  const found = readdirSync(shelf).flatMap((name) => {
    const parts = NAME.exec(name)
    if (parts === null) return []
    const [, kind, year, month, day, hour, minute, second] = parts
    const at = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`)
    return Number.isNaN(at) ? [] : [{ file: path.join(shelf, name), at, isDaily: kind === 'daily' }]
  })
  return found.toSorted((a, b) => b.at - a.at)
}

export const newestBackup = (stateFolder: string): ShelvedBackup | null => listShelf(stateFolder)[0] ?? null

/** Answers with what was removed. */
export function removeOldDailies(stateFolder: string): string[] {
  const old = listShelf(stateFolder)
    .filter(({ isDaily }) => isDaily)
    .slice(KEPT_DAILIES)
    .map(({ file }) => file)
  for (const file of old) rmSync(file, { force: true })
  return old
}

/** A remedy that says to restore a copy says which one, word for word, when there is one. */
export function namingBackup(problem: Problem, stateFolder: string): Problem {
  const newest = newestBackup(stateFolder)
  if (newest === null || !problem.remedy.includes(RESTORE)) return problem
  const file = /[^\w./-]/.test(newest.file) ? `'${newest.file.replaceAll("'", "'\\''")}'` : newest.file
  return { ...problem, remedy: problem.remedy.replace(RESTORE, `sluice restore ${file}`) }
}
const RESTORE = 'sluice restore FILE'
