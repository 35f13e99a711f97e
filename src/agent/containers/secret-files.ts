import { createHash } from 'node:crypto'
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statfsSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { problem } from '../../core/shared/problem.ts'
import { failed, ok, type Result } from '../../core/shared/result.ts'

/** statfs(2): file systems that are memory. */
const IN_MEMORY = new Set([0x01021994, 0x858458f6])

/**
 * Secrets as files for containers: in memory only, below a folder that nobody but this user can enter. A container gets the
 * folder of its instance and nothing above it, so whoever runs inside may read them, as files of the engine's own secrets.
 */
export class SecretFiles {
  readonly #agentFolder: string
  readonly #env: NodeJS.ProcessEnv

  constructor({ agentFolder, env }: { agentFolder: string; env: NodeJS.ProcessEnv }) {
    this.#agentFolder = agentFolder
    this.#env = env
  }

  /** Answers with the folder to be shown to the container. */
  write(instance: string, values: Record<string, string>): Result<string> {
    const root = this.#root()
    if (root === null) return failed(noMemory())
    const folder = join(root, instance)
    rmSync(folder, { recursive: true, force: true })
    mkdirSync(folder, { mode: 0o755 })
    for (const [name, value] of Object.entries(values))
      writeFileSync(join(folder, name), value, { mode: 0o444 })
    // Whatever the umask: the program inside may be another user.
    for (const name of Object.keys(values)) chmodSync(join(folder, name), 0o444)
    chmodSync(folder, 0o755)
    return ok(folder)
  }

  /** What was given to an instance, to be redacted in what it writes. */
  read(instance: string): string[] {
    const root = this.#root()
    const folder = root === null ? '' : join(root, instance)
    return existsSync(folder)
      ? readdirSync(folder).map((name) => readFileSync(join(folder, name), 'utf8'))
      : []
  }

  remove(instance: string): void {
    const root = this.#root()
    if (root !== null) rmSync(join(root, instance), { recursive: true, force: true })
  }

  #root(): string | null {
    const uid = process.getuid?.() ?? 0
    const candidates = [this.#env.XDG_RUNTIME_DIR, uid === 0 ? '/run' : undefined, '/dev/shm']
    const place = candidates.find((path) => path !== undefined && isInMemory(path))
    if (place === undefined) return null
    const own = join(place, `sluice-secrets-${uid}`)
    const folder = join(own, createHash('sha256').update(this.#agentFolder).digest('hex').slice(0, 16))
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    return [own, folder].every((path) => isOursAlone(path, uid)) ? folder : null
  }
}

function isInMemory(path: string): boolean {
  try {
    return IN_MEMORY.has(statfsSync(path).type)
  } catch {
    return false
  }
}

/** In a folder that everybody may write to, somebody else may have been there first. */
function isOursAlone(path: string, uid: number): boolean {
  const found = lstatSync(path)
  return found.isDirectory() && found.uid === uid && (found.mode & 0o077) === 0
}

const noMemory = () =>
  problem('SECRET_FILES_NO_MEMORY', {
    message:
      'there is no folder in memory that belongs to this user alone, so secrets cannot be given as files',
    remedy:
      'Make /dev/shm (tmpfs) writable for the agent and remove a sluice-secrets folder of somebody else there, or leave out run.secretFiles.',
  })
