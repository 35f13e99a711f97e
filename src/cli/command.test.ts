import { expect, it } from 'vitest'
import { MomentArgument } from './command.ts'

it('reads a moment by the clock of this machine, or with its offset', () => {
  expect(MomentArgument.parse('2026-11-23T09:00')).toBe(new Date(2026, 10, 23, 9).getTime())
  expect(MomentArgument.parse('2026-11-23T09:00+01:00')).toBe(Date.parse('2026-11-23T08:00:00Z'))
})

it.each(['tomorrow', '09:00', '2026-11-23', '2026-13-40T09:00', ''])('refuses "%s" and shows how', (text) => {
  const parsed = MomentArgument.safeParse(text)
  expect(parsed.error?.issues[0]?.message).toContain('write it like 2026-11-23T09:00')
})
