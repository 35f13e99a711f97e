import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { copyCases } from './store/copy-cases.ts'
import { documentCases } from './store/document-cases.ts'
import { embeddedCases } from './store/embedded-cases.ts'
import { historyCases } from './store/history-cases.ts'
import { ADA, type Context, type StoreHarness, unset, valueIn } from './store/kit.ts'
import { leaseCases } from './store/lease-cases.ts'
import { outboxCases } from './store/outbox-cases.ts'
import { pruneCases } from './store/prune-cases.ts'
import { sharedCases } from './store/shared-cases.ts'
import { streamCases } from './store/stream-cases.ts'

export type { StoreHarness }

/**
 * What every `Store` must do. Run it on the real store and on its fake. `shared` says which further cases apply, and must
 * be what the store says of itself.
 *
 * @example storeConformance('sqlite', async () => ({ open, dispose }), { shared: false })
 */
export function storeConformance(
  name: string,
  make: () => Promise<StoreHarness>,
  { shared }: { shared: boolean },
): void {
  describe(`store conformance: ${name}`, () => {
    const context: Context = { store: unset, harness: unset }
    beforeEach(async () => {
      context.harness = await make()
      context.store = await context.harness.open()
      valueIn(await context.store.join(ADA))
    })
    afterEach(async () => {
      await context.store.close()
      await context.harness.dispose()
    })
    it(`says that ${shared ? 'several controllers' : 'one controller'} may join`, () => {
      expect(context.store.shared).toBe(shared)
    })
    streamCases(context)
    leaseCases(context)
    documentCases(context)
    outboxCases(context)
    pruneCases(context)
    historyCases(context)
    copyCases(context)
    if (shared) describe('shared by several controllers', () => sharedCases(context))
    else describe('embedded in one controller', () => embeddedCases(context))
  })
}
