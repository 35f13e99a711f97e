import type { FreezeState } from '../core/shared/freeze.ts'
import type { Result } from '../core/shared/result.ts'

/** Who says that nothing new may begin in an environment. Asked at each look and before each deployment. */
export interface Freezes {
  readonly kind: string
  /** What was said last; never said anything: no freeze, `asOf` 0. A freeze whose time is over is still what was said. */
  read(environment: string): Promise<Result<FreezeState>>
  /** `asOf` must be above the one that is read, or what looked earlier would be taken for newer. */
  set(environment: string, state: FreezeState): Promise<Result<void>>
}
