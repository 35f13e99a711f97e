import { expect, it } from 'vitest'
import { statusOf } from './problem-response.ts'

it.each([
  ['INPUT_INVALID', 400],
  ['CONFIG_UNKNOWN_KEY', 400],
  ['ARTIFACT_BROKEN', 400],
  ['ARTIFACT_NOT_FOUND', 404],
  ['SERVICE_NOT_FOUND', 404],
  ['SERVICE_AMBIGUOUS', 400],
  ['PROXY_UNREACHABLE', 503],
  ['ROLLOUT_IN_PROGRESS', 409],
  ['A_CODE_NOBODY_KNOWS', 409],
  ['INTERNAL', 500],
])('answers %s with %i', (code, status) => {
  expect(statusOf(code)).toBe(status)
})
