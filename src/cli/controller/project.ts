import { existsSync } from 'node:fs'
import path from 'node:path'
import { problem } from '../../core/shared/problem.ts'
import { failed, ok, type Result } from '../../core/shared/result.ts'
import type { Session } from '../session.ts'

const CONFIG_NAME = 'sluice.yaml'
const STATE_FOLDER = '.sluice'

/** The settings file a command works with and the state folder beside it. */
export type Project = {
  /** Absolute path of the settings file. */
  config: string
  /** The same path for messages: relative where that is shorter. */
  shownConfig: string
  folder: string
  state: string
}

/** `--config`, else the nearest sluice.yaml here or in a folder above; says which when it is not the one here. */
export function findProject(session: Session): Result<Project> {
  const { cwd } = session.io
  if (session.config !== null) {
    const config = path.resolve(cwd, session.config)
    return existsSync(config)
      ? ok(projectOf(cwd, config))
      : failed(missing(config, 'Check the path after --config.'))
  }
  const found = searchUpwards(cwd)
  if (found === null)
    return failed(
      missing(
        path.join(cwd, CONFIG_NAME),
        'Run `sluice init` to write a first one, or name one with --config.',
      ),
    )
  if (path.dirname(found) !== cwd) session.note(`Using ${found}`)
  return ok(projectOf(cwd, found))
}

function searchUpwards(from: string): string | null {
  for (let folder = from; ; folder = path.dirname(folder)) {
    const candidate = path.join(folder, CONFIG_NAME)
    if (existsSync(candidate)) return candidate
    if (folder === path.dirname(folder)) return null
  }
}

function projectOf(cwd: string, config: string): Project {
  const folder = path.dirname(config)
  const relative = path.relative(cwd, config)
  // Who opens the shown path starts from the working folder of the process.
  const isShorter = !relative.startsWith('..') && path.resolve(relative) === config
  return {
    config,
    shownConfig: isShorter ? relative : config,
    folder,
    state: path.join(folder, STATE_FOLDER),
  }
}

const missing = (file: string, remedy: string) =>
  problem('CONFIG_NOT_FOUND', {
    message: `There is no ${file} (nor a ${CONFIG_NAME} in a folder above).`,
    remedy,
  })
