import { expect, it } from 'vitest'
import { Release } from '../core/release/release.ts'
import { ok } from '../core/shared/result.ts'
import type { StoredDocument } from '../ports/store.ts'
import { releaseRecord, simulatedSettings } from '../testkit/simulator/settings.ts'
import { aboutIn, sayAbout } from './say-about.ts'

function storeWithRelease() {
  const body: unknown = releaseRecord('1.0.0', simulatedSettings())
  let document: StoredDocument = { kind: 'release', id: '1.0.0-r', stream: 'shop.local', at: 7, body }
  let writes = 0
  const store = {
    getDocument: async (_kind: string, id: string) => ok(id === document.id ? document : null),
    putDocument: async (next: StoredDocument) => {
      document = next
      writes += 1
      return ok(undefined)
    },
  }
  return { store, release: () => Release.parse(document.body), writes: () => writes }
}

it('adds notes and commit to the record and changes nothing else in it', async () => {
  const { store, release } = storeWithRelease()
  const before = release()
  await sayAbout(store, '1.0.0-r', { notes: 'faster', commit: 'abcdef0123', dirty: true })
  expect(release()).toEqual({ ...before, about: { notes: 'faster', commit: 'abcdef0123', dirty: true } })
})

it('keeps what is not said anew, and takes the tree together with its commit', async () => {
  const { store, release, writes } = storeWithRelease()
  await sayAbout(store, '1.0.0-r', { notes: 'faster', commit: 'abcdef0123', dirty: true })
  await sayAbout(store, '1.0.0-r', { commit: '0123456789' })
  expect(release().about).toEqual({ notes: 'faster', commit: '0123456789' })
  await sayAbout(store, '1.0.0-r', { notes: 'much faster' })
  expect(release().about).toEqual({ notes: 'much faster', commit: '0123456789' })
  await sayAbout(store, '1.0.0-r', {})
  expect(writes()).toBe(3)
})

it('takes only notes and commit out of a request', () => {
  const request = { notes: 'n', version: '1.0.0', now: true }
  expect(aboutIn(request)).toEqual({ notes: 'n' })
})
