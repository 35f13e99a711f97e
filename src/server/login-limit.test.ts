import { expect, it } from 'vitest'
import { createLoginLimit, MAX_FAILED_LOGINS } from './login-limit.ts'

it('blocks after ten failures and opens again when the oldest is a minute old', () => {
  let now = 0
  const limit = createLoginLimit(() => now)
  for (let failure = 0; failure < MAX_FAILED_LOGINS; failure += 1) {
    expect(limit.blockedForMs()).toBe(0)
    limit.recordFailure()
    now += 1000
  }
  expect(limit.blockedForMs()).toBe(50_000)
  now = 60_000
  expect(limit.blockedForMs()).toBe(0)
})
