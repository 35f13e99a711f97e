import { readdirSync, readFileSync, type Stats, statfsSync, statSync } from 'node:fs'
import path from 'node:path'
import type { Finding } from '../../core/shared/finding.ts'
import { commandOf } from '../controller/runtime-file.ts'
import { bytes } from '../text/number.ts'
import { fine, warning, wrong } from './finding.ts'

const LEAST_FREE_BYTES = 1024 ** 3
const LEAST_FREE_SHARE = 0.05
/** Files whose content opens doors: nobody but the owner reads them. */
const PRIVATE_FILES = ['token', 'runtime.json', 'probe-key']

/** The state folder and what in it must be private. */
export function checkModes(stateFolder: string): Finding[] {
  const folder = stat(stateFolder)
  if (folder === null)
    return [fine('DOCTOR_STATE', `${stateFolder} does not exist yet: nothing was started here.`)]
  const folderMode = modeOf(folder)
  const findings =
    folderMode === 0o700
      ? []
      : [
          wrong(
            'DOCTOR_MODE',
            `${stateFolder} has mode ${octal(folderMode)}, it must be 0700.`,
            `Run \`chmod 700 ${stateFolder}\`.`,
          ),
        ]
  const names = list(stateFolder)
  for (const name of names) {
    const file = path.join(stateFolder, name)
    const found = stat(file)
    if (found === null || !(found.isSocket() || PRIVATE_FILES.includes(name))) continue
    const mode = modeOf(found)
    if ((mode & 0o077) !== 0)
      findings.push(
        wrong(
          'DOCTOR_MODE',
          `${file} has mode ${octal(mode)}, others could use it.`,
          `Run \`chmod 600 ${file}\`.`,
        ),
      )
  }
  return findings.length > 0
    ? findings
    : [fine('DOCTOR_MODE', `${stateFolder} and what is in it belong to you alone (0700, 0600).`)]
}

/** Locks and pid files of processes that are gone. */
export function checkLeftovers(stateFolder: string): Finding[] {
  const files = [stateFolder, path.join(stateFolder, 'agent'), path.join(stateFolder, 'proxy')].flatMap(
    (folder) => list(folder).flatMap((name) => (/\.(lock|pid)$/.test(name) ? [path.join(folder, name)] : [])),
  )
  const stale = files.flatMap((file) => {
    const pid = pidIn(file)
    return pid !== null && commandOf(pid) === null ? [{ file, pid }] : []
  })
  if (stale.length === 0) return [fine('DOCTOR_LEFTOVERS', 'No lock or pid file of a dead process is left.')]
  return stale.map(({ file, pid }) =>
    warning(
      'DOCTOR_LEFTOVERS',
      `${file} names process ${pid}, which is gone.`,
      'The next start replaces it; if it does not, remove the file.',
    ),
  )
}

/** Space for artifacts, logs and the database. */
export function checkDisk(folder: string): Finding {
  const { bavail, blocks, bsize } = statfsSync(folder)
  const free = bavail * bsize
  const share = blocks === 0 ? 1 : bavail / blocks
  const words = `${bytes(free)} (${(share * 100).toFixed(1)}%) are free on the disk of ${folder}`
  if (free < LEAST_FREE_BYTES || share < LEAST_FREE_SHARE)
    return wrong(
      'DOCTOR_DISK',
      `${words}; at least 1 GiB and 5% are needed.`,
      'Free some space: a full disk stops the controller from deciding anything.',
    )
  return fine('DOCTOR_DISK', `${words}.`)
}

/** The file of the state that was written last. */
export function newestWrite(stateFolder: string): { file: string; at: number } | null {
  const found = ['state.db', 'state.db-wal', 'runtime.json'].flatMap((name) => {
    const file = path.join(stateFolder, name)
    const stats = stat(file)
    return stats === null ? [] : [{ file, at: stats.mtimeMs }]
  })
  return found.toSorted((a, b) => b.at - a.at)[0] ?? null
}

const modeOf = (stats: Stats): number => stats.mode & 0o777
const octal = (mode: number): string => mode.toString(8).padStart(4, '0')

function stat(file: string): Stats | null {
  return statSync(file, { throwIfNoEntry: false }) ?? null
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

function pidIn(file: string): number | null {
  try {
    const pid = Number.parseInt(readFileSync(file, 'utf8'), 10)
    return Number.isInteger(pid) && pid > 0 ? pid : null
  } catch {
    return null
  }
}
