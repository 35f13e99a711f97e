import { expect, it } from 'vitest'
import { type Context, document, valueIn } from './kit.ts'

export function documentCases(context: Context): void {
  it('answers null for an unknown document', async () => {
    expect(valueIn(await context.store.getDocument('release', 'r1'))).toBe(null)
  })

  it('replaces a document as a whole', async () => {
    valueIn(await context.store.putDocument(document('r1')))
    const changed = { ...document('r1'), at: 9, body: { only: 'this' } }
    valueIn(await context.store.putDocument(changed))
    expect(valueIn(await context.store.getDocument('release', 'r1'))).toEqual(changed)
  })

  it('lists documents newest first, by kind and stream, up to the limit', async () => {
    for (const [id, at, stream] of [
      ['a', 1, 'shop'],
      ['b', 3, 'api'],
      ['c', 2, 'shop'],
      ['d', 3, 'shop'],
    ] as const) {
      valueIn(await context.store.putDocument({ ...document(id), at, stream }))
    }
    valueIn(await context.store.putDocument({ ...document('p'), kind: 'plan', at: 9 }))
    const ids = async (limit: number, stream?: string) => {
      const of = stream === undefined ? {} : { stream }
      return valueIn(await context.store.listDocuments({ kind: 'release', limit, ...of })).map(({ id }) => id)
    }
    expect(await ids(10)).toEqual(['d', 'b', 'c', 'a'])
    expect(await ids(2)).toEqual(['d', 'b'])
    expect(await ids(10, 'shop')).toEqual(['d', 'c', 'a'])
  })
}
