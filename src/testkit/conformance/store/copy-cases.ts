import { expect, it } from 'vitest'
import { ProblemError, problem } from '../../../core/shared/problem.ts'
import type { Store, StoreRow } from '../../../ports/store.ts'
import { createStoreFake } from '../../fakes/store.ts'
import {
  ADA,
  append,
  type Context,
  claim,
  document,
  message,
  NOW,
  problemIn,
  request,
  rowsOf,
  two,
  valueIn,
} from './kit.ts'

/** A little of everything, some of it pruned. */
async function filled(store: Store): Promise<void> {
  const state = { z: 1, a: ['ü', 'nul \u0000'] }
  const parts = { messages: [message('a'), message('b')], documents: [document('r2'), document('r1')] }
  valueIn(await append(store, { events: [...two(), ...two()], state, due: NOW - 1, ...parts }))
  valueIn(
    await append(store, { stream: 'api', events: two(), messages: [{ ...message('a'), channel: 'mail' }] }),
  )
  valueIn(await append(store, { stream: 'empty', events: [] }))
  valueIn(await append(store, { stream: 'old', events: two() }))
  await claim(store)
  valueIn(await store.settleMessage({ channel: 'hook', key: 'a', kind: 'delivered', at: NOW + 1 }))
  const events = [
    { stream: 'shop', through: 1 },
    { stream: 'old', through: 2 },
  ]
  valueIn(await store.prune({ events, settledBefore: 0, documents: [] }))
}

/** A store of another kind with the same content: rows of a dump belong to no kind. */
async function foreign(): Promise<Store> {
  const store = createStoreFake().open()
  valueIn(await store.join(ADA))
  return store
}

/** The order of fields of a row is nobody's promise; what is in the values is. */
const fieldsOf = (row: StoreRow): string =>
  JSON.stringify(Object.entries(row).sort(([a], [b]) => (a < b ? -1 : 1)))

export function copyCases(context: Context): void {
  it('gives out everything, streams before what belongs to them', async () => {
    await filled(context.store)
    const rows = await rowsOf(context.store)
    expect(rows.map(({ row }) => row)).toEqual([
      ...Array.from({ length: 4 }, () => 'stream'),
      ...Array.from({ length: 5 }, () => 'event'),
      ...Array.from({ length: 2 }, () => 'document'),
      ...Array.from({ length: 3 }, () => 'message'),
    ])
    expect(rows.find((row) => row.row === 'stream' && row.stream === 'shop')).toMatchObject({ epoch: 1 })
  })

  it('can be copied to another kind of store and back, row for row', async () => {
    const other = await foreign()
    await filled(other)
    const rows = await rowsOf(other)
    expect(valueIn(await context.store.fill(rows))).toEqual({ rows: rows.length })
    const mine = await rowsOf(context.store)
    expect(mine.map(fieldsOf).sort()).toEqual(rows.map(fieldsOf).sort())
    const again = await foreign()
    valueIn(await again.fill(mine))
    expect(await rowsOf(again)).toEqual(mine)
  })

  it('works on what was copied into it, under higher epochs', async () => {
    const other = await foreign()
    await filled(other)
    valueIn(await context.store.fill(await rowsOf(other)))
    expect(valueIn(await context.store.listDocuments({ kind: 'release', limit: 9 }))).toEqual([
      document('r1'),
      document('r2'),
    ])
    expect((await claim(context.store)).find(({ stream }) => stream === 'shop')?.epoch).toBe(2)
    expect(
      valueIn(await append(context.store, { expectedRevision: 4, epoch: 2, messages: [message('b')] })),
    ).toEqual({ revision: 5 })
    const waiting = valueIn(await context.store.pendingMessages(NOW, 9)).map(({ key }) => key)
    expect(waiting.sort()).toEqual(['a', 'b'])
    await context.store.close()
    context.store = await context.harness.open()
    const events = valueIn(await context.store.events({ stream: 'shop', after: 0, limit: 9 }))
    expect(events.map(({ sequence }) => sequence)).toEqual([2, 3, 4, 5])
  })

  it('takes rows as they come, over time', async () => {
    const other = await foreign()
    await filled(other)
    const rows = await rowsOf(other)
    async function* slowly() {
      for (const row of rows) {
        await Promise.resolve()
        yield row
      }
    }
    expect(valueIn(await context.store.fill(slowly()))).toEqual({ rows: rows.length })
  })

  it('refuses to be filled when it holds something', async () => {
    await append(context.store)
    expect(problemIn(await context.store.fill([])).code).toBe('STORE_NOT_EMPTY')
  })

  it.each<[string, (rows: StoreRow[]) => unknown[]]>([
    ['a row of another shape', (rows) => [...rows.slice(0, 5), { row: 'event', stream: 'shop' }]],
    ['a row that is none', (rows) => [...rows.slice(0, 5), null]],
    ['a lost event', (rows) => rows.filter((row) => row.row !== 'event' || row.sequence !== 3)],
    ['a lost last event', (rows) => rows.filter((row) => row.row !== 'event' || row.sequence !== 4)],
    ['a row twice', (rows) => [...rows, ...rows.slice(-1)]],
    ['a lost stream', (rows) => rows.filter((row) => row.row !== 'stream' || row.stream !== 'shop')],
    [
      'a lost value',
      (rows) => rows.map((row) => (row.row === 'document' ? { ...row, body: undefined } : row)),
    ],
  ])('takes nothing of a copy with %s', async (_, damage) => {
    const other = await foreign()
    await filled(other)
    // What a damaged file gives is of no type; the store has to look itself.
    const rows: Iterable<StoreRow> = JSON.parse(JSON.stringify(damage(await rowsOf(other))))
    const refused = problemIn(await context.store.fill(rows))
    expect(refused).toMatchObject({ code: 'STORE_DUMP_DAMAGED', retryable: false })
    expect(refused.message).toMatch(/Row \d+/)
    expect(await rowsOf(context.store)).toEqual([])
    expect(valueIn(await append(context.store))).toEqual({ revision: 1 })
  })

  it('takes nothing when the source breaks off, and says why', async () => {
    const other = await foreign()
    await filled(other)
    const rows = await rowsOf(other)
    function* breaking() {
      yield* rows.slice(0, 6)
      throw new ProblemError(problem('SOURCE_BROKE', { message: 'It broke.', remedy: 'Look.' }))
    }
    expect(problemIn(await context.store.fill(breaking())).code).toBe('SOURCE_BROKE')
    expect(await rowsOf(context.store)).toEqual([])
  })

  it('passes on why the receiver of a copy gave up', async () => {
    await append(context.store)
    const gaveUp = await context.store.dump(() => {
      throw new ProblemError(problem('RECEIVER_BROKE', { message: 'It broke.', remedy: 'Look.' }))
    })
    expect(problemIn(gaveUp).code).toBe('RECEIVER_BROKE')
    expect(valueIn(await append(context.store, { expectedRevision: 1 }))).toEqual({ revision: 2 })
  })

  it('copies one moment, whatever is written meanwhile', async () => {
    for (const stream of ['a', 'b', 'c']) valueIn(await append(context.store, { stream }))
    const rows: StoreRow[] = []
    valueIn(
      await context.store.dump(async (row) => {
        if (rows.length === 0)
          valueIn(await context.store.append(request({ stream: 'c', expectedRevision: 1, events: two() })))
        rows.push(row)
      }),
    )
    expect(rows).toHaveLength(6)
    expect(rows.filter((row) => row.row === 'stream').map(({ revision }) => revision)).toEqual([1, 1, 1])
    expect(valueIn(await context.store.load('c'))?.revision).toBe(3)
  })
}
