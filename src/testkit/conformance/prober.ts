import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { ProbeRequest, ProbeRun, Prober } from '../../ports/prober.ts'

export type ProberSetup = {
  prober: Prober
  request: ProbeRequest
  /** What the far side does with the next probes. */
  behave(how: 'answer' | 'app-error' | 'data-plane-error' | 'reset' | 'truncate'): void
  /** Headers of the probes that arrived. */
  arrived(): Record<string, string | string[] | undefined>[]
  cleanup(): Promise<void>
}

/** Long enough for a few dozen probes on a busy machine. */
const DEADLINE_MS = 45_000

/** The behaviour every prober shares: lost is what no version answered; a version's own error is not lost. */
export function proberConformance(name: string, makeSetup: () => Promise<ProberSetup>): void {
  describe(`${name} as a prober`, () => {
    let setup: ProberSetup
    let run: ProbeRun
    beforeEach(async () => {
      setup = await makeSetup()
    })
    afterEach(async () => {
      run.stop()
      await setup.cleanup()
    })

    async function probed(sent: number): Promise<{ sent: number; lost: number }> {
      run = setup.prober.start(setup.request)
      return reach(run, sent)
    }

    it('loses nothing while every probe is answered, and marks each with its key', async () => {
      setup.behave('answer')
      expect((await probed(10)).lost).toBe(0)
      const keys = new Set(setup.arrived().map((headers) => headers['sluice-probe']))
      expect(keys).toEqual(new Set([setup.request.probeKey]))
    })

    it('does not count an error of the version itself as lost', async () => {
      setup.behave('app-error')
      expect((await probed(10)).lost).toBe(0)
    })

    it.each(['data-plane-error', 'reset', 'truncate'] as const)(
      'counts every probe as lost on %s',
      async (how) => {
        setup.behave(how)
        const { sent, lost } = await probed(10)
        expect(lost).toBe(sent)
      },
    )

    it('asks nothing more once it is stopped', async () => {
      setup.behave('answer')
      const before = await probed(3)
      run.stop()
      const reached = setup.arrived().length
      await new Promise((resolve) => setTimeout(resolve, setup.request.intervalMs * 5))
      expect(run.totals().sent).toBe(before.sent)
      // One that was on its way when it was stopped may still arrive.
      expect(setup.arrived().length).toBeLessThanOrEqual(reached + 1)
    })
  })
}

async function reach(run: ProbeRun, sent: number): Promise<{ sent: number; lost: number }> {
  const deadline = Date.now() + DEADLINE_MS
  while (run.totals().sent < sent) {
    if (Date.now() > deadline) throw new Error(`only ${run.totals().sent} of ${sent} probes were counted`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  return run.totals()
}
