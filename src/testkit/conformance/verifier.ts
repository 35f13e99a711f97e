import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { VerifyCheck } from '../../core/shared/verification.ts'
import { hasPassed, VerifyReport } from '../../core/shared/verification.ts'
import type { Verifier, VerifyRequest } from '../../ports/verifier.ts'

export type VerifierHarness = {
  verifier: Verifier
  /** Of the service that is verified. */
  url: string
  /** `lasting` goes on for a minute if nobody gives it up. */
  checks: { passing: VerifyCheck; failing: VerifyCheck; lasting: VerifyCheck }
  dispose(): Promise<void>
}

/** What every `Verifier` must do. Run it on the real one and on its fake. */
export function verifierConformance(name: string, make: () => Promise<VerifierHarness>): void {
  describe(`${name} as a verifier`, () => {
    let harness: VerifierHarness
    beforeEach(async () => {
      harness = await make()
    })
    afterEach(async () => harness.dispose())

    const requestOf = (...checks: VerifyCheck[]): VerifyRequest => ({
      checks,
      url: harness.url,
      moment: 'before',
      service: 'shop',
      environment: 'local',
      version: '1.1.0',
      release: '1.1.0-r',
      probeKey: null,
    })
    const never = (): AbortSignal => new AbortController().signal

    it('tells of each check whether it passed, in their order, and where it was made', async () => {
      const { passing, failing } = harness.checks
      const report = await harness.verifier.verify(requestOf(passing, failing, passing), never())
      expect(VerifyReport.parse(report).url).toBe(harness.url)
      expect(report.results.map((one) => [one.name, one.passed])).toEqual([
        [passing.name, true],
        [failing.name, false],
        [passing.name, true],
      ])
      expect(report.results.every(({ text }) => text !== '')).toBe(true)
      expect(hasPassed(report)).toBe(false)
    })

    it('can be asked again and says the same', async () => {
      const request = requestOf(harness.checks.passing)
      for (let time = 0; time < 2; time += 1)
        expect(hasPassed(await harness.verifier.verify(request, never()))).toBe(true)
    })

    it('has nothing to say without checks, which is no pass', async () => {
      const report = await harness.verifier.verify(requestOf(), never())
      expect(report.results).toEqual([])
      expect(hasPassed(report)).toBe(false)
    })

    it('ends soon when nobody waits any more, and begins no further check', async () => {
      const { lasting, passing } = harness.checks
      const wanted = new AbortController()
      const answer = harness.verifier.verify(requestOf(lasting, passing), wanted.signal)
      setTimeout(() => wanted.abort(), 50)
      const { results } = await answer
      expect(results.map((one) => [one.name, one.passed])).toEqual([[lasting.name, false]])
    })

    it('makes no check for somebody who has gone already', async () => {
      const report = await harness.verifier.verify(requestOf(harness.checks.passing), AbortSignal.abort())
      expect(report.results).toEqual([])
    })
  })
}
