import type { LocalWay } from '../core/shared/local-url.ts'
import type { CheckResult, VerifyCheck } from '../core/shared/verification.ts'
import type { Verifier } from '../ports/verifier.ts'

/** What is checked, and where. */
export type CheckPlace = {
  url: string
  way?: LocalWay
  service: string
  environment: string
  version: string
  release: string
}

/** Makes checks because somebody asks, outside of any rollout. */
export type Checker = {
  /** `null` when the signal came first. */
  make(check: VerifyCheck, place: CheckPlace, signal: AbortSignal): Promise<CheckResult | null>
}

export const createChecker = (verifier: Verifier): Checker => ({
  make: async (check, place, signal) => {
    const { results } = await verifier.verify(
      { ...place, checks: [check], moment: 'asked', probeKey: null },
      signal,
    )
    return signal.aborted ? null : (results[0] ?? null)
  },
})
