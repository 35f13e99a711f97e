import type { Program } from './programs.ts'

/** Which suites will be skipped and why, in one line each. */
export function describeMissing(missing: readonly Program[]): string {
  if (missing.length === 0) return 'testbed: every program that the tests use is here.'
  const lines = missing.map(({ command, suites }) => `  ${command} is missing: skips ${suites}`)
  const packages = [...new Set(missing.map(({ aptPackage }) => aptPackage))].join(' ')
  return ['testbed:', ...lines, `  Install with "npm run testbed", or: apt-get install ${packages}`].join(
    '\n',
  )
}
