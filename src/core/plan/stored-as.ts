import type { Release } from '../release/release.ts'

/** Of a digest; the whole one stands in the plan already, and no two images of one service begin alike. */
const SHOWN_HEX = 12

/**
 * What a release is started from once more, for sentences.
 *
 * @example storedAs(release) // 'its image registry.local/shop@sha256:1f0c2b9d4e7a'
 */
export const storedAs = ({ artifact: { image } }: Pick<Release, 'artifact'>): string =>
  image === undefined
    ? 'its stored artifact'
    : `its image ${image.replace(/(sha256:[0-9a-f]+)$/, (digest) => digest.slice(0, 'sha256:'.length + SHOWN_HEX))}`
