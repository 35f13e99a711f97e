import { normalize } from 'node:path'
import * as tar from 'tar'
import { ProblemError, problem } from '../../../core/shared/problem.ts'
import { leadsOutside } from './tree.ts'

/**
 * Unpacks an archive. It is read twice: nothing is written before every path and link in it was seen to stay inside.
 * Throws `ProblemError` with `ARTIFACT_ESCAPES` or `ARTIFACT_UNREADABLE`.
 */
export async function unpack(archive: string, into: string): Promise<void> {
  try {
    const escaping = await findEscaping(archive)
    if (escaping !== null) throw new ProblemError(escapes(archive, escaping))
    await tar.extract({ file: archive, cwd: into, strict: true, preserveOwner: false })
  } catch (error) {
    throw error instanceof ProblemError ? error : new ProblemError(unreadable(archive, error))
  }
}

async function findEscaping(archive: string): Promise<string | null> {
  let escaping: string | null = null
  await tar.list({
    file: archive,
    strict: true,
    onReadEntry: (entry) => {
      escaping ??= describeEscape(entry.path, entry.type, entry.linkpath ?? '')
    },
  })
  return escaping
}

/** Pure: what is wrong with one entry, `null` when it stays inside. */
export function describeEscape(path: string, type: string, linkTarget: string): string | null {
  if (leadsOutside('.', normalize(path))) return `the path ${path} leads outside`
  // A hard link names a path from the root of the archive, a symbolic one from its own folder.
  if (type === 'Link' && leadsOutside('.', linkTarget))
    return `the link ${path} points outside, to ${linkTarget}`
  if (type === 'SymbolicLink' && leadsOutside(path.replace(/\/+$/, ''), linkTarget)) {
    return `the link ${path} points outside, to ${linkTarget}`
  }
  return null
}

const escapes = (archive: string, what: string) =>
  problem('ARTIFACT_ESCAPES', {
    message: `${archive} was refused: ${what}`,
    remedy: 'Build the archive with relative paths and links that stay inside it.',
  })

const unreadable = (archive: string, error: unknown) =>
  problem('ARTIFACT_UNREADABLE', {
    message: `${archive} could not be unpacked`,
    cause: error instanceof Error ? error.message : String(error),
    remedy: 'Check that the file is complete, for example with: tar -tf.',
  })
