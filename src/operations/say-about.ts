import { Release } from '../core/release/release.ts'
import type { ReleaseAbout } from '../core/release/release-about.ts'
import type { Result } from '../core/shared/result.ts'
import { ok } from '../core/shared/result.ts'
import { loadRelease, RELEASE_DOCUMENT } from '../engine/effects.ts'
import type { Store } from '../ports/store.ts'

/** Only what was said, out of a whole input. */
export const aboutIn = ({ notes, commit, dirty }: ReleaseAbout): ReleaseAbout => ({
  ...(notes === undefined ? {} : { notes }),
  ...(commit === undefined ? {} : { commit }),
  ...(dirty === undefined ? {} : { dirty }),
})

/** Adds notes and commit to the record of a release; what is said later counts, what is not said stays. */
export async function sayAbout(
  store: Pick<Store, 'getDocument' | 'putDocument'>,
  id: string,
  about: ReleaseAbout,
): Promise<Result<void>> {
  if (Object.keys(about).length === 0) return ok(undefined)
  const found = await loadRelease(store, id)
  if (found.kind === 'failed') return found
  const { about: before, ...release } = found.value
  // The state of the tree belongs to the commit it was looked at with.
  const { dirty: _old, ...said } = before ?? {}
  const kept = about.commit === undefined ? (before ?? {}) : said
  return store.putDocument({
    kind: RELEASE_DOCUMENT,
    id,
    stream: release.stream,
    at: release.createdAt,
    body: Release.parse({ ...release, about: { ...kept, ...about } }),
  })
}
