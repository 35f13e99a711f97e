import type { CheckResult, VerifyCheck } from '../../../core/shared/verification.ts'
import type { Verifier, VerifyRequest } from '../../../ports/verifier.ts'
import { runCheckCommand } from './check-command.ts'
import type { Finding, HostVerifierOptions } from './host.ts'
import { runJourney } from './journey.ts'

/** Makes the checks from the host of the controller: requests and programs. */
export function createHostVerifier(options: HostVerifierOptions): Verifier {
  const { now = () => performance.now() } = options
  return {
    kind: 'host',
    verify: async (request, signal) => {
      const results: CheckResult[] = []
      for (const check of request.checks) {
        if (signal.aborted) break
        const began = now()
        const finding = await runCheck(options, { request, check }, signal)
        results.push({ name: check.name, ...finding, tookMs: Math.max(0, Math.round(now() - began)) })
      }
      return { url: request.url, results }
    },
  }
}

const runCheck = (
  options: HostVerifierOptions,
  { request, check }: { request: VerifyRequest; check: VerifyCheck },
  signal: AbortSignal,
): Promise<Finding> =>
  check.kind === 'command'
    ? runCheckCommand(options, { request, check }, signal)
    : runJourney(options, { request, check }, signal)
