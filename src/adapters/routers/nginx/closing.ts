import { chmod, mkdir, rm, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import type { Log } from '../../../ports/log.ts'
import type { Control } from './control.ts'

/**
 * nginx is started in this folder of ours. Its workers may have given up root, and then they see nothing in a private
 * folder: but what stands in the folder in which they are, they may look for by its name.
 */
export const WORKERS_FOLDER = 'workers'
const CLOSING = 'closing'

/** A status of nobody else, so that only this leads there. */
const CLOSING_STATUS = 420
const PLACE = '@sluice_closing'
/** Not empty for a request that came by there. */
export const WAS_CLOSING = '$sluice_was_closing'

/**
 * In each server that takes requests, after whatever puts another path in the place of the one that came. nginx takes
 * keep-alive away from a request that passes a location without it, and never gives it back: so the request goes on as
 * ever, and its answer says `connection: close`. Instances have to be asked for `$request_uri` then, since `$uri` is not
 * the path as it came.
 */
export const CLOSING_LINES: readonly string[] = [
  `    error_page ${CLOSING_STATUS} = ${PLACE};`,
  `    if (-f ${CLOSING}) { return ${CLOSING_STATUS}; }`,
  `    location ${PLACE} { keepalive_timeout 0; set ${WAS_CLOSING} 1; rewrite ^ $uri last; }`,
]

/** Who uses a kept connection more often than this is told to close it before the reload, which is that much later. */
const CLOSING_MS = 300
/** No change takes as long: whoever wrote it is gone. */
const LEFT_MS = 30_000

export type ClosingOptions = {
  /** Absolute path of the folder in which nginx was started. */
  folder: string
  control: Control
  log: Log
}

/**
 * A reload closes idle connections, and a request may be on its way on one. So for a moment before it, each answer closes
 * its connection, by which its client knows. It goes on for as long as a file is there.
 */
export class Closing {
  private readonly options: ClosingOptions
  private readonly file: string

  constructor(options: ClosingOptions) {
    this.options = options
    this.file = path.join(options.folder, CLOSING)
  }

  /** Before nginx is started. Whoever may come here may look for a name that they know, and nothing else. */
  async makeFolder(): Promise<void> {
    await mkdir(this.options.folder, { recursive: true })
    await chmod(this.options.folder, 0o711)
  }

  /** `over` resolves when the reload may come. It is a courtesy: where it fails, the change goes on without it. */
  async begin(): Promise<{ over: Promise<void> }> {
    try {
      await writeFile(this.file, '')
    } catch (error) {
      this.options.log.warn('nginx reloads without closing its connections before', { error: String(error) })
      return { over: Promise.resolve() }
    }
    return { over: this.over() }
  }

  async end(): Promise<void> {
    try {
      await rm(this.file, { force: true })
    } catch (error) {
      this.options.log.warn('nginx goes on closing each connection after its answer', {
        file: this.file,
        error: String(error),
      })
    }
  }

  /** A controller that was killed in the middle of a change leaves the file behind. Callable while a change is under way. */
  async endIfLeft(now: number): Promise<void> {
    const found = await stat(this.file).catch(() => null)
    if (found !== null && now - found.mtimeMs > LEFT_MS) await this.end()
  }

  /** Nobody has to be waited for when the one connection is that of this question. */
  private over(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, CLOSING_MS)
      void this.options.control.totals().then((totals) => {
        if (totals?.connections !== 1) return
        clearTimeout(timer)
        resolve()
      })
    })
  }
}
