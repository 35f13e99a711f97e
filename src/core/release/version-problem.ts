import { type Problem, problem } from '../shared/problem.ts'

/** More of a wrong text says nothing. */
const SHOWN_CHARACTERS = 60

/** Why a text cannot be the version of a release; `null` when it can. */
export function versionProblem(version: string): Problem | null {
  if (/^[A-Za-z0-9][A-Za-z0-9._+-]{0,99}$/.test(version)) return null
  // Quoted as in JSON: a character that no terminal shows may be all that is wrong with it.
  const shown =
    version.length > SHOWN_CHARACTERS
      ? `${JSON.stringify(`${version.slice(0, SHOWN_CHARACTERS)}...`)}, ${version.length} characters long,`
      : JSON.stringify(version)
  return problem('VERSION_INVALID', {
    message: `${shown} cannot be a version.`,
    remedy:
      'Use up to 100 letters, digits, dots, dashes, plus signs and underscores, starting with a letter or digit.',
  })
}
