import type { CheckResult, VerifyCheck } from '../../core/shared/verification.ts'
import type { Verifier, VerifyRequest } from '../../ports/verifier.ts'

export type FakeOutcome = 'passes' | 'fails' | 'lasts'

/** Finds what it is told to find; `lasts` goes on until somebody gives it up. */
export function createVerifierFake(
  outcomeOf: (request: VerifyRequest, check: VerifyCheck) => FakeOutcome = () => 'passes',
): { verifier: Verifier; asked: VerifyRequest[] } {
  const asked: VerifyRequest[] = []
  const verify: Verifier['verify'] = async (request, signal) => {
    asked.push(request)
    const results: CheckResult[] = []
    for (const check of request.checks) {
      if (signal.aborted) break
      const outcome = outcomeOf(request, check)
      if (outcome === 'lasts') await ended(signal)
      const passed = outcome === 'passes'
      const text = passed ? 'as expected' : 'not as expected'
      results.push({ name: check.name, passed, text, tookMs: 0 })
    }
    return { url: request.url, results }
  }
  return { verifier: { kind: 'fake', verify }, asked }
}

const ended = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
