import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

/** A checkout on a slow disk answers in less; who is slower says nothing. */
const GIT_TIMEOUT_MS = 3000
const OUTPUT_LIMIT_BYTES = 16 * 1024 * 1024
/** Reads only, takes no lock of the checkout, and starts no helper that the checkout names. */
const READ_ONLY = ['-c', 'core.fsmonitor=false', '--no-optional-locks']

export type Checkout = { commit: string; dirty: boolean }

/** The commit that a folder stands at, and whether tracked files differ from it; `null` without git, checkout or commit. */
export async function readCheckout(folder: string): Promise<Checkout | null> {
  const commit = (await git(folder, ['rev-parse', '--verify', 'HEAD']))?.trim()
  if (commit === undefined || !/^[0-9a-f]{40,64}$/.test(commit)) return null
  const changes = await git(folder, ['status', '--porcelain', '--untracked-files=no'])
  return changes === null ? null : { commit, dirty: changes !== '' }
}

async function git(folder: string, words: string[]): Promise<string | null> {
  try {
    const { stdout } = await promisify(execFile)('git', ['-C', folder, ...READ_ONLY, ...words], {
      timeout: GIT_TIMEOUT_MS,
      maxBuffer: OUTPUT_LIMIT_BYTES,
    })
    return stdout
  } catch {
    // No git, no checkout, no commit yet, or too slow: a deploy does not depend on it.
    return null
  }
}
