import type { CheckResult } from '../../../core/shared/verification.ts'
import type { HttpClient } from '../../../ports/http.ts'

export type HostVerifierOptions = {
  http: HttpClient
  secretOf: (name: string) => string | null
  /** Folder in which programs run; relative paths of a command start there. */
  cwd: string
  /** Of this process; a few harmless variables of it are passed on. */
  env?: Readonly<Record<string, string | undefined>>
  now?: () => number
}

/** What one check found, without the time it took. */
export type Finding = Pick<CheckResult, 'passed' | 'text'>
