import { describe, expect, it } from 'vitest'
import { NEVER_FROZEN } from '../../core/shared/freeze.ts'
import type { Freezes } from '../../ports/freezes.ts'

const FROZEN = {
  freeze: { reason: 'year end', who: 'ada', since: 1000, until: 2000 },
  asOf: 1000,
  by: 'ada',
}

/** What every source of freezes must do. */
export function freezeConformance(name: string, make: () => Promise<Freezes>): void {
  describe(`freezes: ${name}`, () => {
    it('never heard of an environment: no freeze', async () => {
      const freezes = await make()
      expect(await freezes.read('production')).toEqual({ kind: 'ok', value: NEVER_FROZEN })
    })

    it('answers with what was said last, as it was said, also after its time', async () => {
      const freezes = await make()
      expect(await freezes.set('production', FROZEN)).toMatchObject({ kind: 'ok' })
      expect(await freezes.read('production')).toEqual({ kind: 'ok', value: FROZEN })
      const lifted = { freeze: null, asOf: 1500, by: 'bob' }
      await freezes.set('production', lifted)
      expect(await freezes.read('production')).toEqual({ kind: 'ok', value: lifted })
    })

    it('keeps environments apart', async () => {
      const freezes = await make()
      await freezes.set('production', FROZEN)
      expect(await freezes.read('staging')).toMatchObject({ value: { freeze: null } })
    })
  })
}
