import type { LocalWay } from '../core/shared/local-url.ts'
import type { VerifyCheck, VerifyMoment, VerifyReport } from '../core/shared/verification.ts'

export type VerifyRequest = {
  checks: readonly VerifyCheck[]
  /** Base address of what is verified: `http://127.0.0.1:41234`, without a path. */
  url: string
  /** Where the address alone does not lead there. */
  way?: LocalWay | undefined
  moment: VerifyMoment | 'asked'
  service: string
  environment: string
  version: string
  release: string
  /** Value of the `sluice-probe` header: the data plane serves such requests and counts them for no version. */
  probeKey: string | null
}

/**
 * Makes the checks of a release, one after the other, each within its own time limit. What cannot be made has failed, with
 * the reason; nothing is thrown. Ended by the signal it answers with what there is.
 */
export interface Verifier {
  readonly kind: string
  verify(request: VerifyRequest, signal: AbortSignal): Promise<VerifyReport>
}
