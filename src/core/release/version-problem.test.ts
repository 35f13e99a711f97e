import { describe, expect, it } from 'vitest'
import { versionProblem } from './version-problem.ts'

describe('the version of a release', () => {
  it.each(['1', '1.4.0', '2026.11.22-rc.1', 'v1.0.0+build_7', 'a'.repeat(100)])('may be %s', (version) => {
    expect(versionProblem(version)).toBeNull()
  })

  it.each([
    ['', '"" cannot be a version.'],
    ['../../etc/passwd', '"../../etc/passwd" cannot be a version.'],
    ['1.0\u001b[2J', '"1.0\\u001b[2J" cannot be a version.'],
    ['1.0\n', '"1.0\\n" cannot be a version.'],
    ['a'.repeat(5000), `"${'a'.repeat(60)}...", 5000 characters long, cannot be a version.`],
  ])('is refused with what is wrong in sight: %j', (version, message) => {
    expect(versionProblem(version)).toMatchObject({ code: 'VERSION_INVALID', message })
  })
})
