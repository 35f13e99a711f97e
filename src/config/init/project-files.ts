import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { problem } from '../../core/shared/problem.ts'
import { failed, ok, type Result } from '../../core/shared/result.ts'

/** What the detection may look at. Paths are relative to the project, with forward slashes. */
export interface ProjectFiles {
  readonly folderName: string
  exists(path: string): boolean
  /** The text of a file, or `null` when it is missing, too large or no text. */
  read(path: string): string | null
  /** Names in a folder; none when it is missing. */
  list(path: string): string[]
}

/** Source files that matter here are far smaller; a larger one is generated. */
const MAX_SOURCE_BYTES = 512 * 1024

/** The project in a folder on disk. */
export function projectFilesIn(folder: string): ProjectFiles {
  const kindOf = (path: string) => statSync(join(folder, path), { throwIfNoEntry: false })
  return {
    folderName: folder.split(/[\\/]/).findLast((part) => part !== '') ?? '',
    exists: (path) => kindOf(path) !== undefined,
    read: (path) => {
      const stats = kindOf(path)
      if (stats === undefined || !stats.isFile() || stats.size > MAX_SOURCE_BYTES) return null
      const text = readFileSync(join(folder, path), 'utf8')
      return text.includes('\0') ? null : text
    },
    list: (path) => (kindOf(path)?.isDirectory() === true ? readdirSync(join(folder, path)).sort() : []),
  }
}

/** Writes the new file; never over one that exists. Returns its path. */
export function writeNewConfig(folder: string, text: string): Result<string> {
  const file = join(folder, 'sluice.yaml')
  try {
    writeFileSync(file, text, { flag: 'wx' })
    return ok(file)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error)
    if (code === 'EEXIST') return failed(alreadyThere(file))
    return failed(
      problem('INIT_NOT_WRITTEN', {
        message: `${file} cannot be written (${code})`,
        remedy: 'Allow your user to write to the folder, or use "sluice init --print" and save the output.',
      }),
    )
  }
}

export const alreadyThere = (file: string) =>
  problem('INIT_EXISTS', {
    message: `${file} exists already and is left as it is`,
    remedy: 'Edit the file, or move it away and run "sluice init" again.',
  })
