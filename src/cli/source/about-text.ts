import type { ReleaseAbout } from '../../core/release/release-about.ts'

const COMMIT_DIGITS = 10
const NOTES_SHOWN = 48

/** `3f9a1b2c3d+`: the plus says that the working tree had changes of its own. */
export const commitText = (about: ReleaseAbout | undefined): string =>
  about?.commit === undefined
    ? '-'
    : `${about.commit.slice(0, COMMIT_DIGITS)}${about.dirty === true ? '+' : ''}`

/** First line of the notes, shortened. */
export function notesText(about: ReleaseAbout | undefined): string {
  const [line = ''] = (about?.notes ?? '').trim().split('\n')
  return line.length > NOTES_SHOWN ? `${line.slice(0, NOTES_SHOWN - 3)}...` : line
}
