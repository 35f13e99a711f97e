import { readFileSync } from 'node:fs'
import path from 'node:path'
import { ReleaseAbout } from '../../core/release/release-about.ts'
import { problem } from '../../core/shared/problem.ts'
import { failed, ok, type Result } from '../../core/shared/result.ts'
import { readCheckout } from './git.ts'

type AboutInput = { notes?: string; commit?: string }

/** What `--notes` and `--commit` say; without a commit, the one that the checkout around the settings file stands at. */
export async function aboutRelease(
  { notes, commit }: AboutInput,
  { cwd, folder }: { cwd: string; folder: string },
): Promise<Result<ReleaseAbout>> {
  const text = notes === undefined ? ok(null) : readNotes(notes, cwd)
  if (text.kind === 'failed') return text
  const source = commit === undefined ? await readCheckout(folder) : { commit }
  const said = ReleaseAbout.safeParse({ ...(text.value === null ? {} : { notes: text.value }), ...source })
  if (said.success) return ok(said.data)
  const [issue] = said.error.issues
  return failed(
    problem('USAGE', {
      message: `--${issue?.path.join('.') ?? 'notes'}: ${issue?.message ?? 'cannot be read'}.`,
      remedy: 'Write --notes "text" or --notes @FILE, and --commit with the hash of a commit.',
    }),
  )
}

/** `@file` reads a file; any other text stands for itself. */
function readNotes(notes: string, cwd: string): Result<string> {
  if (!notes.startsWith('@')) return ok(notes)
  const file = path.resolve(cwd, notes.slice(1))
  try {
    return ok(readFileSync(file, 'utf8').trim())
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error)
    return failed(
      problem('USAGE', {
        message: `The notes cannot be read from ${file} (${code}).`,
        remedy: 'Name a text file after the @, or write the notes themselves: --notes "text".',
      }),
    )
  }
}
