import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ProblemError, problem } from '../../core/shared/problem.ts'
import type { Store, StoreRow } from '../../ports/store.ts'
import type { ReplaceRequest, StorePlace } from '../../ports/store-place.ts'
import {
  ADA,
  append,
  BOB,
  claim,
  document,
  message,
  NOW,
  problemIn,
  rowsOf,
  two,
  valueIn,
} from './store/kit.ts'

/** `open` opens the store that stands in the place; `kept` gives the rows of a state that was put aside. */
export type PlaceHarness = {
  place: StorePlace
  open(): Promise<Store>
  damage(): Promise<void>
  kept(where: string): Promise<StoreRow[]>
  dispose(): Promise<void>
}

/** What every `StorePlace` must do. */
export function storePlaceConformance(name: string, make: () => Promise<PlaceHarness>): void {
  describe(`store place conformance: ${name}`, () => {
    let harness: PlaceHarness
    beforeEach(async () => {
      harness = await make()
    })
    afterEach(() => harness.dispose())

    const used = async (work: (store: Store) => Promise<unknown>): Promise<void> => {
      const store = await harness.open()
      valueIn(await store.join(ADA))
      await work(store)
      await store.close()
    }
    const fill = () =>
      used(async (store) => {
        const parts = { messages: [message('a')], documents: [document('r1')] }
        valueIn(await append(store, { due: NOW, events: two(), state: { old: true }, ...parts }))
        expect((await claim(store))[0]?.epoch).toBe(1)
      })
    const content = async (): Promise<StoreRow[]> => {
      const store = await harness.open()
      const rows = await rowsOf(store)
      await store.close()
      return rows
    }
    const request = (more: Partial<ReplaceRequest> = {}): ReplaceRequest => ({
      rows: async function* () {
        yield* newRows()
      },
      overwrite: false,
      at: Date.UTC(2026, 10, 21, 16, 1, 2),
      by: BOB,
      ...more,
    })

    it('has nothing to give when there is nothing, and makes nothing', async () => {
      const refused = async () => problemIn(await harness.place.dump(() => undefined)).code
      expect(await refused()).toBe('STORE_EMPTY')
      expect(await refused()).toBe('STORE_EMPTY')
    })

    it('fills a place where nothing is, and a store that was never used', async () => {
      const filled = valueIn(await harness.place.replace(request()))
      expect(filled).toEqual({ rows: 3, keptAs: null, wasDamaged: false })
      expect(await content()).toMatchObject(newRows())
    })

    it('fills a store that was opened and never used', async () => {
      await used(async () => undefined)
      expect(valueIn(await harness.place.replace(request())).keptAs).toBeNull()
      expect(await content()).toMatchObject(newRows())
    })

    it('leaves a state alone when nobody said that it may go', async () => {
      await fill()
      const before = await content()
      expect(problemIn(await harness.place.replace(request())).code).toBe('STORE_NOT_EMPTY')
      expect(await content()).toEqual(before)
    })

    it('keeps the old state aside, whole, and hands out its epochs', async () => {
      await fill()
      const before = await content()
      const epochs: [string, number][] = []
      const rows: ReplaceRequest['rows'] = async function* (known) {
        epochs.push(...known)
        yield* newRows()
      }
      const replaced = valueIn(await harness.place.replace(request({ overwrite: true, rows })))
      expect(epochs).toEqual([['shop', 1]])
      expect(await content()).toMatchObject(newRows())
      expect(await harness.kept(replaced.keptAs ?? '')).toEqual(before)
      await used(async (store) => {
        expect(valueIn(await append(store, { stream: 'api', expectedRevision: 2 }))).toEqual({ revision: 3 })
      })
    })

    it('changes nothing when the rows break off or are wrong', async () => {
      await fill()
      const before = await content()
      const breaking: ReplaceRequest['rows'] = async function* () {
        yield* newRows().slice(0, 2)
        throw new ProblemError(problem('SOURCE_BROKE', { message: 'It broke.', remedy: 'Look.' }))
      }
      const lost: ReplaceRequest['rows'] = async function* () {
        yield* newRows().filter((row) => row.row !== 'event' || row.sequence !== 1)
        yield* newRows().filter((row) => row.row === 'event' && row.sequence === 1)
      }
      for (const [rows, code] of [
        [breaking, 'SOURCE_BROKE'],
        [lost, 'STORE_DUMP_DAMAGED'],
      ] as const)
        expect(problemIn(await harness.place.replace(request({ overwrite: true, rows }))).code).toBe(code)
      expect(await content()).toEqual(before)
    })

    it('leaves nothing behind when it fails where nothing was', async () => {
      const none: ReplaceRequest['rows'] = async function* () {
        yield* newRows().slice(1)
      }
      expect(problemIn(await harness.place.replace(request({ rows: none }))).code).toBe('STORE_DUMP_DAMAGED')
      expect(problemIn(await harness.place.dump(() => undefined)).code).toBe('STORE_EMPTY')
      valueIn(await harness.place.replace(request()))
    })

    it('is refused while a controller uses the state, and names it', async () => {
      await fill()
      const store = await harness.open()
      valueIn(await store.join(ADA))
      await claim(store)
      const refused = problemIn(await harness.place.replace(request({ overwrite: true })))
      expect(refused.code).toBe('STORE_LOCKED')
      expect(refused.message).toContain(`process ${ADA.pid} on ${ADA.host}`)
      expect(valueIn(await append(store, { expectedRevision: 2 }))).toEqual({ revision: 3 })
      await store.close()
    })

    it('replaces a damaged state without being told, and keeps what is left of it', async () => {
      await fill()
      await harness.damage()
      const replaced = valueIn(await harness.place.replace(request()))
      expect(replaced).toMatchObject({ wasDamaged: true, keptAs: expect.any(String) })
      expect(await content()).toMatchObject(newRows())
    })

    it('gives out one moment while a controller goes on writing', async () => {
      await fill()
      const store = await harness.open()
      valueIn(await store.join(ADA))
      const rows: StoreRow[] = []
      valueIn(
        await harness.place.dump(async (row) => {
          if (rows.length === 0) valueIn(await append(store, { expectedRevision: 2, events: two() }))
          rows.push(row)
        }),
      )
      expect(rows.filter(({ row }) => row === 'event')).toHaveLength(2)
      expect(valueIn(await store.load('shop'))?.revision).toBe(4)
      await store.close()
    })
  })
}

const newRows = (): StoreRow[] => [
  {
    row: 'stream',
    stream: 'api',
    epoch: 9,
    revision: 2,
    schemaVersion: 2,
    state: { fresh: true },
    due: null,
  },
  { row: 'event', stream: 'api', sequence: 1, at: NOW, kind: 'one', event: 1 },
  { row: 'event', stream: 'api', sequence: 2, at: NOW, kind: 'two', event: 2 },
]
