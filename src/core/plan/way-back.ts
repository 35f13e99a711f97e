/** How far back a rollback goes, in stable releases counted from 1, and how far the fast way goes. */
export type WayBack = { releases: number; window: number }

/** Within the window a release held 100% so lately that data, settings and neighbours are still those it was proven with. */
export const isFast = ({ releases, window }: WayBack): boolean => releases <= window

/** One sentence: which way, and why. */
export function wayBackText(back: WayBack): string {
  const ago = `${back.releases} stable ${back.releases === 1 ? 'release' : 'releases'} back`
  return isFast(back)
    ? `It is ${ago}, within the rollback window of ${back.window}: all traffic at once, without stages.`
    : `It is ${ago}, beyond the rollback window of ${back.window}: it takes all steps, as a deploy does.`
}
